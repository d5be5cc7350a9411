array run = ['descent', 'heavy-ball', 'nesterov', 'adam']
array label = ['descent', 'heavy ball', 'Nesterov', 'Adam']
array tau = [0.2, 0.4, 0.3, 0.003] # the time of one iteration
# sharpness above which each does not settle on a quadratic; Adam's is of the preconditioned Hessian
bound(i) = i == 1 ? 2/tau[1] : i == 2 ? (4 - tau[2])/tau[2]**2 : i == 3 ? 4/(3*tau[3]**2) : 38/tau[4]
array seen = ['sharpness', 'sharpness', 'sharpness', 'preconditioned']
array pale = ['#99c7e0', '#eebf99', '#99d8c7', '#e8c4d9']
table(i, what) = sprintf('runs/%s-%s.csv', run[i], what)
sharpness(i, what) = sprintf('curvature-runs-%s-%s.csv', run[i], what)

if (small) {
    set multiplot layout 3,1
} else {
    set multiplot layout 1,3 margins 0.088,0.972,0.17,0.96 spacing 0.093
}
set xlabel 'iteration k'
set xrange [0:200]
set xtics 50
set ylabel 'loss' offset 0.8,0
set logscale y
set format y '%g'
set key bottom left Left reverse samplen 1
plot for [i=1:4] table(i, 'flow') using (column("t")/tau[i]):"loss" with lines lc rgb pale[i] lw 5, \
     for [i=1:4] table(i, 'iteration') using "k":"loss" with lines lt i title label[i]

unset key
set ylabel 'distance in % of ‖x‖' offset 0.8,0
plot for [i=1:4] table(i, 'iteration') using (column("k") > 0 ? column("k") : NaN):(100*column("relative_gap")) with lines lt i

unset logscale
set ylabel 'sharpness over its bound' offset 0.8,0
set yrange [0:*]
plot 1 with lines lc rgb 'black' lw 1.4 dt 3, \
     for [i=1:4] sharpness(i, 'flow') using (column("t")/tau[i]):(column(seen[i])/bound(i)) with lines lc rgb pale[i] lw 5, \
     for [i=1:4] sharpness(i, 'iteration') using (column("t")/tau[i]):(column(seen[i])/bound(i)) with lines lt i
unset multiplot
