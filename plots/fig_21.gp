array depth = [5, 10, 15]
array colour = [1, 2, 3]
rate = 0.1
table(kind, i, end) = sprintf('%s/L=%d-%s.csv', kind, depth[i], end)
explodes(i) = 0.5**(2 - depth[i]) / (depth[i] - 2)
bound(i, t) = t < explodes(i) ? ((depth[i] - 2) * (explodes(i) - t))**(-1.0 / (depth[i] - 2)) : NaN

if (small) {
    set multiplot layout 3,1
} else {
    set multiplot layout 1,3 margins 0.065,0.985,0.15,0.96 spacing 0.085
}
set logscale x
power = small ? '%g' : '10^{%T}'
set format x power
set xlabel 'iteration k, flow at t = 0.1 k'
set xrange [1:2e4]
set ylabel 'weight w' offset 0.5,0
set yrange [0.48:1.02]
unset key
set label 1 'L = 5' at 8,0.62 right tc lt 1
set label 2 'L = 10' at 170,0.62 right tc lt 2
set label 3 'L = 15' at 3500,0.62 right tc lt 3
# few dots a decade where the axis crowds them
shown(k, w) = w > 0.62 || floor(10 * log10(k)) > floor(10 * log10(k - 1)) ? w : NaN
plot for [i=1:3] '+' using (x = $1, x):(bound(i, rate * x)) every 1 with lines lt colour[i] dt 3 lw 2.4, \
     for [i=1:3] table('flow', i, 'flow') using (column("t") / rate):"x_1" with lines lt colour[i], \
     for [i=1:3] table('descent', i, 'iteration') using "k":(shown(column("k"), column("x_1"))) every ::1 with points lt colour[i] pt 7 ps 0.35

set xlabel 'iteration k'
set ylabel 'sharpness' offset 0.5,0
set logscale y
set format y power
set yrange [1e-4:60]
unset label
set label 1 '2/rate = 20' at 1.3,2 / rate * 1.5 tc rgb '#555555'
plot 2 / rate with lines lc rgb '#999999' dt 2, \
     for [i=1:3] sprintf('curvature-descent-L=%d-iteration.csv', depth[i]) using (column("t") / rate):"sharpness" with lines lt colour[i]
unset label 1

set ylabel 'loss' offset 0.5,0
set yrange [0.005:0.7]
set format y '%g'
set ytics (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
set key at graph -0.03,0.4 left Left reverse samplen 0.7
plot for [i=1:3] table('descent', i, 'iteration') using "k":"loss" with lines lt colour[i] lw 1, \
     for [i=1:3] table('rmsprop', i, 'iteration') using "k":"loss" with lines lt colour[i] lw 3.2, \
     NaN with lines lc rgb '#333333' lw 1 title 'descent', NaN with lines lc rgb '#333333' lw 3.2 title 'RMSprop'
unset multiplot
