array label = ['gradient flow', 'Nesterov, 3/t', 'heavy ball, α = 2√μ', 'heavy ball, α = 2√β']
array run = ['gradient', 'nesterov', 'heavy-ball-mu', 'heavy-ball-beta']
file(i) = sprintf('flows/%s-flow.csv', run[i])
points(i) = sprintf('conjugate-%s.csv', run[i])
f(x, y) = 0.02 * x**2 + 0.0004 * y**2

if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.095,0.975,0.15,0.96 spacing 0.11
}

set xlabel 'time t'
set ylabel 'loss f(x) − f*' offset 1,0
set xrange [0:300]
set logscale y
set yrange [1e-13:0.1]
set format y '10^{%T}'
set ytics 1e-12,100
unset mytics
set key bottom left Left reverse
plot for [i=1:4] file(i) using "t":"loss" with lines lt i title label[i], \
     for [i=2:3] points(i) using "point_1":"loss" with points lc rgb 'white' pt 7 ps 1.2, \
     for [i=2:3] points(i) using "point_1":"loss" with points lt i pt 7 ps 0.9, \
     keyentry with points lc rgb '#333333' pt 7 ps 0.9 title 'minimiser up to here, then saddle'
unset key

unset logscale
set xlabel 'x_1'
set ylabel 'x_2' offset 1.5,0
set xrange [-0.75:1.1]
set yrange [-0.3:1.1]
set format y '%g'
set ytics 0.5
set xtics 0.5
# contours of f, computed here
set contour base
unset surface
set cntrparam levels discrete 1e-5,4e-5,1e-4,2e-4,4e-4,1e-3,2e-3,5e-3,1e-2
set isosamples 80
set table $contours
splot [-0.75:1.1] [-0.3:1.1] f(x, y)
unset table
unset contour
set label 1 'start' at 1,1 right point pt 7 ps 0.7 lc rgb '#222222' offset -1,-0.8
set label 2 'x*' at 0,0 point pt 3 ps 0.9 lc rgb '#222222' offset 0.7,-0.8
plot $contours using (field(1)):(field(2)) with lines lc rgb '#d0d0d0' lw 0.7, \
     for [i=1:4] file(i) using "x_1":"x_2" with lines lt i, \
     for [i=2:3] points(i) using "x_1":"x_2" with points lc rgb 'white' pt 7 ps 1.2, \
     for [i=2:3] points(i) using "x_1":"x_2" with points lt i pt 7 ps 0.9
unset multiplot
