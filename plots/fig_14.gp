# the orbit that ends in y_7 along the unstable direction and starts in y_0 along the stable one
stats 'orbit-descent.csv' using (y7 = column("y_1"), 0) every ::7::7 nooutput
s1(k) = y7 * 1.2 ** (k - 7)
s2(k) = 0.8 ** k
if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.085,0.975,0.15,0.96 spacing 0.13
}
set xlabel 'x_1, curvature −1'
set ylabel 'x_2, curvature 1' offset 1,0
set xrange [0.08:0.44]
set yrange [0.15:1.09]
set key top right samplen 1.6
unset mxtics
unset mytics
plot 'flow/flow.csv' using "x_1":"x_2" with lines lt 1 title 'gradient flow', \
     'orbit-descent.csv' using "y_1":"y_2" with points lt 1 pt 7 ps 0.7 title 'y_k', \
     'orbit-descent.csv' using "same_1":"same_2" with points lt 2 pt 4 ps 0.9 title 'descent from y_0', \
     'orbit-descent.csv' using (s1(column("k"))):(s2(column("k"))) with points lt 3 pt 9 ps 0.9 title 'backwards in x_1', \
     'orbit-descent.csv' using "best_1":"best_2" with points lt 5 pt 13 ps 0.9 title 'nearest orbit'

set xlabel 'iteration k'
set ylabel '‖x_k − y_k‖' offset 1.5,0
set xrange [0:7]
set yrange [0:0.07]
set key top left Left reverse
plot 'orbit-descent.csv' using "k":"distance_same" with linespoints lt 2 pt 4 ps 0.8 title 'descent from y_0', \
     'orbit-descent.csv' using "k":(sqrt((s1(column("k")) - column("y_1"))**2 + (s2(column("k")) - column("y_2"))**2)) with linespoints lt 3 pt 9 ps 0.8 title 'backwards in x_1', \
     'orbit-descent.csv' using "k":"distance_best" with linespoints lt 5 pt 13 ps 0.8 title 'nearest orbit'
unset multiplot
