array h = ['1', '0.5', '0.25']
percent(c) = 100 * column(c)
# mean and range of the seeds; each by itself is in pixels/ and unit-norm/
file(scale, i) = sprintf('%s-h=%s.csv', scale, h[i])

if (small) {
    set multiplot layout 3,1
} else {
    set multiplot layout 1,3 margins 0.065,0.98,0.15,0.96 spacing 0.095
}
set xlabel 'time t'
set ylabel 'distance in % of ‖x‖' offset 0.5,0
set xrange [0:40]
set yrange [0:*]
set offsets 0, 0, graph 0.3, 0 # room for the key
set key top right
plot for [i=1:3] file('pixels', i) using "t":(percent('relative_gap_min')):(percent('relative_gap_max')) with filledcurves lt i, \
     for [i=1:3] file('pixels', i) using "t":(percent('relative_gap_mean')) with lines lt i title 'h = ' . h[i]

unset offsets

# the largest mean error of each learning rate
set print $largest
do for [i=1:3] {
    stats [*:*] [*:*] file('pixels', i) using (percent('relative_gap_mean')) name 'P' nooutput
    stats [*:*] [*:*] file('unit-norm', i) using (percent('relative_gap_mean')) name 'U' nooutput
    print sprintf('%s,%.9g,%.9g', h[i], P_max, U_max)
}
unset print
set xlabel 'learning rate h'
set ylabel 'largest distance in % of ‖x‖' offset 0.5,0
set logscale xy
set xrange [0.2:1.25]
set yrange [0.03:20]
set xtics ('0.25' 0.25, '0.5' 0.5, '1' 1)
set key top left Left reverse
plot P_max * x / real(h[3]) with lines lc rgb '#aaaaaa' dt 2 title 'slope 1', \
     U_max * x / real(h[3]) with lines lc rgb '#aaaaaa' dt 2, \
     $largest using 1:2 with linespoints lt 1 pt 7 ps 0.9 title 'pixels / 255', \
     $largest using 1:3 with linespoints lt 2 pt 5 ps 0.8 title 'images of norm 1'
# the nearest orbit of the first seed
set ylabel 'largest distance'
set yrange [0.001:1]
plot 'shadow-pixels.csv' using "h":"same_start" with linespoints lt 1 dt 2 pt 6 ps 0.9 title 'pixels / 255, same start', \
     'shadow-pixels.csv' using "h":"minimax" with linespoints lt 1 pt 7 ps 0.9 title 'nearest orbit', \
     'shadow-unit-norm.csv' using "h":"same_start" with linespoints lt 2 dt 2 pt 4 ps 0.8 title 'images of norm 1, same start', \
     'shadow-unit-norm.csv' using "h":"minimax" with linespoints lt 2 pt 5 ps 0.8 title 'nearest orbit'
unset multiplot
