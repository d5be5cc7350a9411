if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.085,0.97,0.175,0.96 spacing 0.13
}
set xlabel 'time t'
set ylabel 'x' offset 1,0
set xrange [1:10]
set yrange [-0.75:1.15]
set key top right
displaced(k) = column("t") >= 1 ? column("x_1") + 0.2 * sin(k * pi * (column("t") - 1) / 9) : NaN
plot for [k = 1:4] 'flow/flow.csv' using "t":(displaced(k)) with lines lt k title sprintf('k = %d', k), \
     'flow/flow.csv' using "t":"x_1" with lines lt 7 lw 2.2 title 'path'

set xlabel 'size s'
set ylabel 'J[x + s h_k] − J[x]' offset 0,0
set xrange [-0.2:0.2]
set yrange [-16:26]
set xtics 0.1
unset key
set label 1 'k = 4' at 0.105,18 left textcolor lt 4
set label 2 'k = 3' at 0.14,4.6 left textcolor lt 3
set label 3 'k = 2' at 0.145,-2.6 left textcolor lt 2
set label 4 'k = 1' at 0.09,-11 left textcolor lt 1
plot for [k = 1:4] 'action.csv' using "s":sprintf('sine_%d', k) with lines lt k, \
     '+' using (0):(0) every ::0::0 with points pt 7 ps 0.6 lc rgb '#000000'
unset multiplot
