if (small) {
    set multiplot layout 3,1
} else {
    set multiplot
}
f(x, y) = 0.02 * x**2 + 0.005 * y**2

stats [*:*] [*:*] 'path/nesterov-flow.csv' using "x_1":"x_2" name 'N' nooutput
stats [*:*] [*:*] 'path/memory-flow.csv' using "x_1":"x_2" name 'M' nooutput
min(a, b) = a < b ? a : b
max(a, b) = a > b ? a : b
xl = min(N_min_x, M_min_x) - 0.3; xh = max(max(N_max_x, M_max_x), 1) + 0.3
yl = min(N_min_y, M_min_y) - 0.3; yh = max(max(N_max_y, M_max_y), 1) + 0.3
if (!small) { set lmargin at screen 0.075; set rmargin at screen 0.50; set tmargin at screen 0.97; set bmargin at screen 0.13 }
set xlabel 'x_1'
set xtics 1
set ytics 1
set ylabel 'x_2' offset 1,0
set xrange [xl:xh]
set yrange [yl:yh]
set contour base
unset surface
set cntrparam levels discrete 0.002,0.01,0.03,0.06,0.1,0.2,0.4,0.8
set isosamples 60
set table $contours
splot [xl:xh] [yl:yh] f(x, y)
unset table
unset contour
set label 1 'start' at 1,1 point pt 7 ps 0.8 lc rgb '#222222' offset 0.8,0.4 front
set label 2 'x*' at 0,0 right point pt 3 ps 0.9 lc rgb '#222222' offset -1.3,-0.4 front
plot $contours using (field(1)):(field(2)) with lines lc rgb '#d0d0d0' lw 0.7, \
     'path/nesterov-flow.csv' using "x_1":"x_2" with lines lt 1 lw 1.0, \
     'path/memory-flow.csv' using "x_1":"x_2" with lines lt 2 lw 1.0
unset label

if (!small) { set lmargin at screen 0.61; set rmargin at screen 0.975; set tmargin at screen 0.97; set bmargin at screen 0.54 }
unset xlabel
set xtics 20
set ytics autofreq
set ylabel 'loss f(x) − f*' offset 0,0
set xrange [0:100]
set logscale y
set yrange [1e-4:3]
set format y '10^{%T}'
unset mytics
set key top left Left reverse maxrows 3 width -4
plot 'ensemble/nesterov-flow.csv' using "t":"loss_q0.05":"loss_q0.95" with filledcurves lt 1, \
     'ensemble/memory-flow.csv' using "t":"loss_q0.05":"loss_q0.95" with filledcurves lt 2, \
     'path/nesterov-flow.csv' using "t":"loss" with lines lc rgb '#4a94c4' lw 0.7, \
     'path/memory-flow.csv' using "t":"loss" with lines lc rgb '#e08a4c' lw 0.7, \
     'ensemble/nesterov-flow.csv' using "t":"loss_mean" with lines lt 1 title 'Nesterov SDE', \
     'ensemble/memory-flow.csv' using "t":"loss_mean" with lines lt 2 title 'memory SDE, m = t^3', \
     'exact-nesterov.csv' using "t":"loss_mean" with lines lc rgb '#000000' lw 1.1 dt 2 title 'exact', \
     'exact-memory.csv' using "t":"loss_mean" with lines lc rgb '#000000' lw 1.1 dt 2

if (!small) { set tmargin at screen 0.47; set bmargin at screen 0.13 }
# the law of x_1 is normal
quantile(z) = column("x_1_mean") + z * sqrt(column("x_1_var"))
z95 = 1.6448536269514722
unset logscale y
unset key
set format y '%g'
set ylabel 'x_1'
set xlabel 'time t'
set yrange [-4:4]
set ytics 2
plot 'ensemble/nesterov-flow.csv' using "t":"x_1_q0.05":"x_1_q0.95" with filledcurves lt 1, \
     'ensemble/memory-flow.csv' using "t":"x_1_q0.05":"x_1_q0.95" with filledcurves lt 2, \
     'path/nesterov-flow.csv' using "t":"x_1" with lines lc rgb '#4a94c4' lw 0.7, \
     'path/memory-flow.csv' using "t":"x_1" with lines lc rgb '#e08a4c' lw 0.7, \
     'ensemble/nesterov-flow.csv' using "t":"x_1_mean" with lines lt 1, \
     'ensemble/memory-flow.csv' using "t":"x_1_mean" with lines lt 2, \
     for [z in "-1 1"] 'exact-nesterov.csv' using "t":(quantile(z * z95)) with lines lc rgb '#000000' lw 1.1 dt 2, \
     for [z in "-1 1"] 'exact-memory.csv' using "t":(quantile(z * z95)) with lines lc rgb '#000000' lw 1.1 dt 2
unset multiplot
