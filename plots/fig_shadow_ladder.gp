array name = ['convex', 'strongly-convex', 'saddle', 'hosaki']
array head = ['convex', 'strongly convex', 'saddle', "Hosaki's function"]
array low = [0.008, 0.007, 0.005, 0.007]
array high = [0.6, 0.6, 0.3, 0.45]
file(i) = 'shadow-' . name[i] . '.csv'
if (small) {
    set multiplot layout 4,1
} else {
    set multiplot layout 2,2 margins 0.085,0.985,0.095,0.955 spacing 0.10,0.13
}
set logscale xy
set format xy '%g'
unset mxtics
unset mytics
set key top left Left reverse samplen 1.8
do for [i=1:4] {
    set title head[i] offset 0,-0.6 tc rgb '#333333'
    set xlabel (i > 2 ? 'learning rate h' : '')
    set ylabel (i % 2 == 1 ? 'radius' : '') offset 0.5,0
    set xrange [low[i]:high[i]]
    if (i < 4) { unset key } else { set key }
    if (i == 4) { set yrange [0.001:30] }
    plot file(i) using "h":"bound" with lines lc rgb '#000000' dt 2 lw 1 title 'theorem', \
         file(i) using "h":"same_start" with linespoints lt 2 pt 4 ps 0.7 title 'same start', \
         file(i) using "h":"split" with linespoints lt 4 lw 1 pt 2 ps 0.7 title 'split', \
         file(i) using "h":"least_squares" with linespoints lt 1 lw 1 pt 6 ps 0.8 title 'least squares', \
         file(i) using "h":"minimax" with linespoints lt 3 pt 9 ps 0.8 title 'smallest radius', \
         file(i) using "h":"lower" with points lc rgb '#000000' pt 7 ps 0.35 title 'lower bound'
}
unset multiplot
