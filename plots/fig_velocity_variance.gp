if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.115,0.975,0.19,0.96 spacing 0.14
}
# rows about a quarter of an octave apart, from t = 0.2
every_so(t) = t >= 0.2 && floor(3 * log(t) / log(2)) != floor(3 * log(t - 0.018) / log(2)) ? t : NaN
error(c) = column(c) * sqrt(2 / (column("paths") - 1))

set xlabel 'time t'
set ylabel 'Var v / σ^2' offset 0.5,0
set logscale xy
set xrange [0.15:25]
set yrange [0.015:200]
set format y '10^{%T}'
unset mytics
set key top center Left reverse
plot x / 7 with lines lt 1 title 'Nesterov SDE, t/7', \
     9 / (5 * x) with lines lt 2 title 'memory SDE, 9/(5t)', \
     'exact-nesterov.csv' using "t":"v_2_var" with lines lt 1 lw 1.1 dt 2, \
     'exact-memory.csv' using "t":"v_2_var" with lines lt 2 lw 1.1 dt 2, \
     'ensemble/nesterov-flow.csv' using (every_so(column("t"))):"v_1_var":(2 * error("v_1_var")) with yerrorbars lt 1 pt 7 ps 0.5, \
     'ensemble/memory-flow.csv' using (every_so(column("t"))):"v_1_var":(2 * error("v_1_var")) with yerrorbars lt 2 pt 7 ps 0.5, \
     'ensemble/nesterov-flow.csv' using (every_so(column("t"))):"v_2_var":(2 * error("v_2_var")) with yerrorbars lt 1 pt 6 ps 0.7 lw 1, \
     'ensemble/memory-flow.csv' using (every_so(column("t"))):"v_2_var":(2 * error("v_2_var")) with yerrorbars lt 2 pt 6 ps 0.7 lw 1, \
     keyentry with points pt 7 ps 0.5 lc rgb '#555555' title 'flat loss', \
     keyentry with points pt 6 ps 0.7 lc rgb '#555555' title 'curvature 1'

unset key
unset logscale y
set format y '%g'
set ylabel 'Var v / exact' offset 0,0
set yrange [0.85:1.15]
set ytics 0.05
# side by side: each series is a little later than the one before
beside(k) = every_so(column("t")) * (1 + 0.09 * k)
law(k) = k == 1 ? column("t") / 7 : 9 / (5 * column("t"))
plot 1 with lines lc rgb '#999999' lw 1, \
     'ensemble/nesterov-flow.csv' using (beside(0)):(column("v_1_var") / law(1)):(2 * error("v_1_var") / law(1)) with yerrorbars lt 1 pt 7 ps 0.5 lw 1, \
     'ensemble/memory-flow.csv' using (beside(1)):(column("v_1_var") / law(2)):(2 * error("v_1_var") / law(2)) with yerrorbars lt 2 pt 7 ps 0.5 lw 1
unset multiplot
