if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.085,0.975,0.16,0.96 spacing 0.13
}
set xlabel 'x_1'
set ylabel 'x_2' offset 1,0
set xrange [-0.3:1.1]
set yrange [0.2:1.06]
set key bottom right samplen 1.6
unset mxtics
unset mytics
plot 'flow/flow.csv' using "x_1":"x_2" with lines lt 1 title 'flow', \
     'orbit-plane.csv' using "y_1":"y_2" with points lt 1 pt 7 ps 0.5 title 'flow at k h', \
     'orbit-plane.csv' using "same_1":"same_2" with points lt 2 pt 4 ps 0.7 title 'heavy ball, same start', \
     'orbit-plane.csv' using "best_1":"best_2" with points lt 3 pt 9 ps 0.6 title 'nearest orbit'

set xlabel 'iteration k'
set ylabel 'distance of positions' offset 1.5,0
set xrange [0:60]
set yrange [0:0.1]
set key top right
plot 'orbit-plane.csv' using "k":"distance_same" with linespoints lt 2 lw 1 pt 4 ps 0.5 title 'same start', \
     'orbit-plane.csv' using "k":"distance_best" with linespoints lt 3 lw 1 pt 9 ps 0.5 title 'nearest orbit'
unset multiplot
