array h = ['0.2', '0.1', '0.05']
array colour = [2, 3, 1]
sharpness(i) = sprintf('curvature-descent-h=%s-iteration.csv', h[i])

if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.085,0.975,0.15,0.96 spacing 0.12
}
set xlabel 'time t = kh'
set ylabel 'sharpness' offset 0.5,0
set xrange [0:60]
set yrange [0:60]
set key top left Left reverse
plot for [i=1:3] 2 / real(h[i]) with lines lt colour[i] lw 1.4 dt 3, \
     'curvature-descent-flow-flow.csv' using "t":"sharpness" with lines lc rgb '#999999' lw 5 title 'gradient flow', \
     for [i=1:3] sharpness(i) using "t":"sharpness" with lines lt colour[i] title sprintf('h = %s, 2/h = %.0f', h[i], 2 / real(h[i]))

set ylabel 'loss' offset 0.5,0
set yrange [0.1:0.6]
set ytics (0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
set logscale y
unset key
plot 'descent/flow-flow.csv' using "t":"loss" with lines lc rgb '#999999' lw 5, \
     for [i=1:3] sprintf('descent/h=%s-iteration.csv', h[i]) using "t":"loss" with lines lt colour[i]
unset multiplot
