hosaki(x, y) = (1 - 8*x + 7*x**2 - 7*x**3/3 + x**4/4) * y**2 * exp(-y)
set isosamples 120,120
set contour base
unset surface
set cntrparam levels discrete -2.2,-1.9,-1.6,-1.3,-1.1,-1,-0.95,-0.91,-0.86,-0.8,-0.7
set xrange [1.7:4.5]
set yrange [1.3:3.5]
set table $levels
splot hosaki(x, y)
unset table
unset contour
if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.085,0.975,0.15,0.96 spacing 0.13
}
set xlabel 'x_1'
set ylabel 'x_2' offset 1,0
set key top right samplen 1.6 opaque
unset mxtics
unset mytics
plot $levels using (field(1)):(field(2)) with lines lc rgb '#cfcfd4' lw 0.8, \
     'flow/flow.csv' using "x_1":"x_2" with lines lt 1 title 'gradient flow', \
     'orbit-descent.csv' using "y_1":"y_2" with points lt 1 pt 7 ps 0.6 title 'y_k', \
     'orbit-descent.csv' using "same_1":"same_2" with points lt 2 pt 4 ps 0.8 title 'descent from y_0', \
     'perturbed/iteration.csv' using "x_1":"x_2" with points lc rgb '#8c8c8c' pt 6 ps 1.1 title 'from (2.07115, 3.2)', \
     'orbit-descent.csv' using "best_1":"best_2" with points lt 3 pt 9 ps 0.7 title 'nearest orbit', \
     '+' using (2):(2) every ::0::0 with points pt 2 ps 1 lc rgb '#222222'

set xlabel 'iteration k'
set ylabel '‖x_k − y_k‖' offset 1,0
set xrange [0:40]
set yrange [0:0.5]
set key top right
plot 'orbit-descent.csv' using "k":"distance_same" with linespoints lt 2 lw 1 pt 4 ps 0.6 title 'descent from y_0', \
     'orbit-descent.csv' using "k":"distance_best" with linespoints lt 3 lw 1 pt 9 ps 0.6 title 'nearest orbit'
unset multiplot
