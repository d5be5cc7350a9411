if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.085,0.985,0.155,0.965 spacing 0.10
}
slow = "0.2 0.05"
file(i) = sprintf('paths/slow-%s-flow.csv', word(slow, i))
points(i) = sprintf('conjugate-slow-%s.csv', word(slow, i))

unset mxtics
unset mytics
set xlabel 'x_1'
set ylabel 'x_2' offset 1.2,0
set xrange [-0.25:1.05]
set yrange [-0.25:1.05]
set xtics 0.5
set ytics 0.5
set xzeroaxis lw 0.8 lc rgb '#999999'
set yzeroaxis lw 0.8 lc rgb '#999999'
set key bottom right samplen 1.6
set label 1 'start' at 1.04,0.93 right
set label 2 'x*' at -0.05,0.04 right
plot for [i = 1:2] file(i) using "x_1":"x_2" with lines lt i title 'curvatures 1, ' . word(slow, i), \
     for [i = 1:2] points(i) using "x_1":"x_2" with points lc rgb 'white' pt 7 ps 1.2, \
     for [i = 1:2] points(i) using "x_1":"x_2" with points lt i pt 7 ps 0.9, \
     keyentry with points lc rgb '#333333' pt 7 ps 0.9 title 'saddle from here', \
     '+' using (0):(0) every ::0::0 with points pt 3 ps 0.9 lc rgb '#222222', \
     '+' using (1):(1) every ::0::0 with points pt 7 ps 0.6 lc rgb '#222222'
unset label

set xlabel 'time t'
set ylabel 'coordinate' offset 1.2,0
set xrange [0:40]
set xtics 10
unset yzeroaxis
set key top right
plot file(1) using "t":"x_1" with lines lc rgb '#000000' lw 1.2 title 'x_1, curvature 1', \
     for [i = 1:2] file(i) using "t":"x_2" with lines lt i title 'x_2, curvature ' . word(slow, i), \
     for [i = 1:2] 'conjugate-alone-' . word(slow, i) . '.csv' using "point_1":(0) with points lt i pt 6 ps 1 lw 1.6, \
     'conjugate-slow-0.2.csv' using "point_1":(0) with points lc rgb '#000000' pt 7 ps 0.9, \
     keyentry with points lc rgb '#333333' pt 6 ps 1 lw 1.6 title 'j_{1,1}/√λ'
unset multiplot
