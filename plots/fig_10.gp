set xlabel 'x_1'
set ylabel 'x_2' offset 1,0
set xrange [-0.1:1.35]
set yrange [-0.05:1.15]
set key bottom right samplen 1.6 opaque
unset mxtics
unset mytics
set print $field
do for [i=0:12] { do for [j=0:10] { print sprintf('%.9g,%.9g', 0.108*i, 0.11*j) } }
unset print
plot $field using 1:2:(-0.09*$1):(-0.027*$2) with vectors size graph 0.014,22 filled lc rgb '#b9b9be' lw 1, \
     'flow/flow.csv' using "x_1":"x_2" with lines lt 1 title 'gradient flow', \
     'orbit-descent.csv' using "y_1":"y_2" with points lt 1 pt 7 ps 0.8 title 'y_k, after k h', \
     'orbit-descent.csv' using "y_1":"y_2":(sprintf('y_%d', column("k"))) every ::0::3 with labels left offset 0.8,-0.5 tc rgb '#333333'
