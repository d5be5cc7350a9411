array run = ['descent', 'heavy-ball', 'nesterov']
array label = ['descent', 'heavy ball', 'Nesterov']
array tau = [0.2, 0.4, 0.3] # the time of one iteration
array pale = ['#99c7e0', '#eebf99', '#99d8c7']
table(i, what) = sprintf('runs/%s-%s.csv', run[i], what)
sharpness(i, what) = sprintf('curvature-runs-%s-%s.csv', run[i], what)

if (small) {
    set multiplot layout 3,1
} else {
    set multiplot layout 1,3 margins 0.08,0.972,0.17,0.96 spacing 0.095
}
set xlabel 'iteration k'
set xrange [0:200]
set xtics 50
set ylabel 'loss' offset 0.8,0
set logscale y
set format y '%g'
set key bottom left Left reverse samplen 1
plot for [i=1:3] table(i, 'flow') using (column("t")/tau[i]):"loss" with lines lc rgb pale[i] lw 5, \
     for [i=1:3] table(i, 'iteration') using "k":"loss" with lines lt i title label[i]

unset key
set ylabel 'distance in % of ‖x‖' offset 0.8,0
plot for [i=1:3] table(i, 'iteration') using (column("k") > 0 ? column("k") : NaN):(100*column("relative_gap")) with lines lt i

unset logscale
set ylabel 'sharpness' offset 0.8,0
set yrange [0:*]
plot 2/tau[1] with lines lt 1 lw 1.4 dt 3, (4 - tau[2])/tau[2]**2 with lines lt 2 lw 1.4 dt 2, 4/(3*tau[3]**2) with lines lt 3 lw 1.4 dt 2, \
     for [i=1:3] sharpness(i, 'flow') using (column("t")/tau[i]):"sharpness" with lines lc rgb pale[i] lw 5, \
     for [i=1:3] sharpness(i, 'iteration') using (column("t")/tau[i]):"sharpness" with lines lt i
unset multiplot
