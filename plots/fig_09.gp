if (small) {
    set multiplot layout 3,1
} else {
    set multiplot
}
f(x, y) = 0.02 * x**2 + 0.005 * y**2
warped(tau) = sqrt(8 * tau)
band(c, s) = column(c . '_mean') + 2 * s * column(c . '_stderr')
min(a, b) = a < b ? a : b
max(a, b) = a > b ? a : b
# rows of a file at which a ring or a disc is drawn
near(t, a, b, c, d) = abs(t - a) < 0.02 || abs(t - b) < 0.02 || abs(t - c) < 0.02 || abs(t - d) < 0.02

stats [*:*] [*:*] 'path/nesterov-flow.csv' using "x_1":"x_2" name 'N' nooutput
stats [*:*] [*:*] 'path/memory-flow.csv' using "x_1":"x_2" name 'M' nooutput
xl = min(min(N_min_x, M_min_x), -0.5) - 0.3; xh = max(max(N_max_x, M_max_x), 1) + 0.3
yl = min(min(N_min_y, M_min_y), -0.5) - 0.3; yh = max(max(N_max_y, M_max_y), 1) + 0.3
if (!small) { set lmargin at screen 0.075; set rmargin at screen 0.50; set tmargin at screen 0.97; set bmargin at screen 0.13 }
set xlabel 'x_1'
set ylabel 'x_2' offset 1,0
set xtics 1
set ytics 1
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
set key bottom right Left reverse
plot $contours using (field(1)):(field(2)) with lines lc rgb '#d0d0d0' lw 0.7, \
     'path/nesterov-flow.csv' using "x_1":"x_2" with lines lt 1 lw 1.0 title 'Nesterov SDE', \
     'path/memory-flow.csv' using "x_1":"x_2" with lines lt 2 lw 1.0 title 'memory SDE, m = t^2', \
     'ode/nesterov-flow.csv' using "x_1":"x_2" with lines lc rgb '#555555' lw 1.3 title 'Nesterov ODE', \
     'ode/nesterov-flow.csv' using (near(column("t"), 4, 8, 12, 16) ? column("x_1") : NaN):"x_2" \
         with points pt 6 ps 0.9 lw 1.3 lc rgb '#555555', \
     'path/memory-flow.csv' using (near(column("t"), 2, 8, 18, 32) ? column("x_1") : NaN):"x_2" \
         with points pt 7 ps 0.9 lt 2
unset label

if (!small) { set lmargin at screen 0.61; set rmargin at screen 0.975; set tmargin at screen 0.97; set bmargin at screen 0.62 }
set xlabel 'time t' offset 0,0.6
set ylabel 'loss f(x) − f*' offset 0,0
set xtics 20
set ytics autofreq
unset mytics
set xrange [0:100]
set logscale y
set yrange [3e-5:1]
set format y '10^{%T}'
unset key
plot 'ensemble/nesterov-flow.csv' using "t":"loss_q0.05":"loss_q0.95" with filledcurves lt 1, \
     'ensemble/memory-flow.csv' using "t":"loss_q0.05":"loss_q0.95" with filledcurves lt 2, \
     'path/nesterov-flow.csv' using "t":"loss" with lines lc rgb '#4a94c4' lw 0.7, \
     'path/memory-flow.csv' using "t":"loss" with lines lc rgb '#e08a4c' lw 0.7, \
     'ode/nesterov-flow.csv' using "t":"loss" with lines lc rgb '#777777' lw 1.3, \
     'ensemble/nesterov-flow.csv' using "t":"loss_mean" with lines lt 1, \
     'ensemble/memory-flow.csv' using "t":"loss_mean" with lines lt 2, \
     'exact-nesterov.csv' using "t":"loss_mean" with lines lc rgb '#000000' lw 1.1 dt 2, \
     'exact-memory.csv' using "t":"loss_mean" with lines lc rgb '#000000' lw 1.1 dt 2

if (!small) { set tmargin at screen 0.46; set bmargin at screen 0.13 }
set xlabel 'time t; memory flows at time t^2/8' offset 0,0
set ylabel 'loss f(x) − f*' offset 0,0
set xtics 5
set xrange [0:28]
set yrange [2e-5:0.1]
set key bottom left Left reverse
plot 'ensemble/nesterov-flow.csv' using "t":(band('loss', -1)):(band('loss', 1)) with filledcurves lt 1, \
     'ensemble/memory-flow.csv' using (warped(column("t"))):(band('loss', -1)):(band('loss', 1)) with filledcurves lt 2, \
     'ode/nesterov-flow.csv' using "t":"loss" with lines lc rgb '#999999' lw 3, \
     'ode/memory-flow.csv' using (warped(column("t"))):"loss" with lines lc rgb '#000000' lw 1.1 dt 3 title 'memory ODE on Nesterov ODE', \
     'ensemble/nesterov-flow.csv' using "t":"loss_mean" with lines lt 1 title 'Nesterov SDE, mean', \
     'ensemble/memory-flow.csv' using (warped(column("t"))):"loss_mean" with lines lt 2 title 'memory SDE, mean'
unset multiplot
