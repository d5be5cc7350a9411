stats 'shadow-descent.csv' using "minimax" name 'E' nooutput
set xlabel 'x_1'
set ylabel 'x_2' offset 1,0
set xrange [-0.1:1.4]
set yrange [-0.05:1.19]
set size ratio -1
set key bottom right samplen 1.6
unset mxtics
unset mytics
plot 'orbit-descent.csv' using "y_1":"y_2":(E_max) with circles fc rgb '#0072b2' fs transparent solid 0.10 border lc rgb '#88b8d8', \
     'flow/flow.csv' using "x_1":"x_2" with lines lt 1 lw 1, \
     'orbit-descent.csv' using "y_1":"y_2" with points lt 1 pt 7 ps 0.6 title 'flow at k h: y_k', \
     'orbit-descent.csv' using "same_1":"same_2" with points lc rgb '#999999' pt 6 ps 0.7 title 'descent from y_0', \
     'orbit-descent.csv' using "best_1":"best_2" with linespoints lt 2 lw 0.8 pt 5 ps 0.6 title 'nearest orbit x_k', \
     keyentry with points pt 6 ps 1.6 lc rgb '#88b8d8' title sprintf('radius ε = %.4f', E_max)
