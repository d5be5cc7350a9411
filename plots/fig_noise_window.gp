if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.115,0.975,0.175,0.96 spacing 0.14
}
set xlabel 'time t'
set ylabel 'expected loss E f(x) − f*' offset 0,0
set xrange [0:35]
set xtics 10
set logscale y
set yrange [8e-4:1]
set format y '10^{%T}'
unset mytics
sizes = "0 0.05 0.1 0.2"
file(flow, s) = 'exact-' . flow . '-' . s . '.csv'
until30(t) = t <= 30 ? t : NaN
set key top left Left reverse
set label 1 'σ = 0.2' at 30.4,0.127 left textcolor lt 1
set label 2 '0.1' at 30.4,0.032 left textcolor lt 1
set label 3 '0.05' at 30.4,0.0098 left textcolor lt 1
set label 4 '0' at 26.3,0.00118 left textcolor lt 1
set label 5 '0.2' at 30.4,0.0206 left textcolor lt 2
set label 6 '0.1' at 30.4,0.0071 left textcolor lt 2
set label 7 '0.05' at 30.4,0.0049 left textcolor lt 2
set label 8 '0' at 30.4,0.0035 left textcolor lt 2
plot for [i = 1:4] file('nesterov', word(sizes, i)) using (until30(column("t"))):"loss_mean" with lines lt 1 lw 0.4 + 0.4 * i, \
     for [i = 1:4] file('memory', word(sizes, i)) using (until30(column("t"))):"loss_mean" with lines lt 2 lw 0.4 + 0.4 * i, \
     for [s in "0.1 0.2"] 'ensemble/nesterov-' . s . '-flow.csv' using "t":"loss_mean":(2 * column("loss_stderr")) with yerrorbars lt 1 pt 7 ps 0.5 lw 1, \
     for [s in "0.1 0.2"] 'ensemble/memory-' . s . '-flow.csv' using "t":"loss_mean":(2 * column("loss_stderr")) with yerrorbars lt 2 pt 7 ps 0.5 lw 1, \
     keyentry with lines lt 1 title 'Nesterov SDE', \
     keyentry with lines lt 2 title 'memory SDE, m = t^3', \
     keyentry with points pt 7 ps 0.5 lc rgb '#555555' title 'means of paths'
unset label

unset logscale y
unset key
set format y '%g'
set ylabel 'noise σ' offset 0.5,0
set xrange [0:60]
set yrange [0:0.25]
set ytics 0.05
set label 1 'Nesterov ahead' at 11,0.015 left front
set label 2 '← Nesterov ahead' at 8.5,0.225 left front
set label 3 'memory ahead' at 30,0.13 left front
plot 'window.csv' using "t":"below" with filledcurves y1=0 lt 1, \
     'window.csv' using "t":"above" with filledcurves y1=0.25 lt 1, \
     'window.csv' using "t":"below" with lines lt 1, \
     'window.csv' using "t":"above" with lines lt 1
unset multiplot
