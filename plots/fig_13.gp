stats 'shadow-descent.csv' using "bound" name 'B' nooutput
stats 'shadow-descent.csv' using "minimax" name 'M' nooutput
if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.09,0.975,0.16,0.96 spacing 0.13
}
set xlabel 'x_1'
set ylabel 'x_2' offset 1,0
set xrange [-0.05:1.08]
set yrange [0.25:1.05]
set key bottom right samplen 1.6
unset mxtics
unset mytics
plot 'flow/flow.csv' using "x_1":"x_2" with lines lt 1 title 'gradient flow', \
     'orbit-descent.csv' using "y_1":"y_2" with points lt 1 pt 7 ps 0.5 title 'y_k', \
     'orbit-descent.csv' using "same_1":"same_2" with points lt 2 pt 4 ps 0.7 title 'descent from y_0'

set xlabel 'iteration k'
set ylabel '‖x_k − y_k‖' offset 1,0
set logscale y
set xrange [0:60]
set yrange [0.003:2]
set format y '%g'
set key top right at graph 1,0.87
plot B_max with lines lc rgb '#000000' dt 2 lw 1 title 'h l L/(2 μ)', \
     0.2 * sqrt(1.01) / exp(1) with lines lt 3 dt 4 lw 1.2 title 'h l/e', \
     M_max with lines lt 5 dt 3 lw 1.4 title 'nearest orbit, radius', \
     'orbit-descent.csv' using "k":"distance_same" with linespoints lt 2 lw 0.8 pt 4 ps 0.5 title 'descent from y_0'
unset multiplot
