if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.105,0.97,0.175,0.96 spacing 0.14
}
set xlabel 'half-width of the hat'
set ylabel 'second variation' offset 0,0
set xrange [0:4]
set yrange [-120:180]
set key bottom left Left reverse
set arrow 1 from sqrt(3),-120 to sqrt(3),180 nohead lc rgb '#bbbbbb' lw 1
set arrow 2 from sqrt(10),-120 to sqrt(10),180 nohead lc rgb '#bbbbbb' lw 1
set label 1 '√3' at sqrt(3),165 left offset 0.5,0 tc rgb '#666666'
set label 2 '√10' at sqrt(10),165 left offset 0.5,0 tc rgb '#666666'
plot 0 with lines lc rgb '#999999' lw 0.8, \
     'hats.csv' using "width":"c_2" with lines lt 1 title 'c = 2', \
     'hats.csv' using "width":"c_4" with lines lt 2 title 'c = 4', \
     'hats.csv' using "width":"c_8" with lines lt 3 title 'c = 8', \
     'signs.csv' using (column("c") == 4 || column("c") == 8 ? column("width") : NaN):(0) with points pt 7 ps 0.7 lc rgb '#000000' title 'zero'
unset arrow
unset label

set xlabel 'size s'
set ylabel '|J[s h]|' offset 0,0
set logscale xy
set xrange [0.01:100]
set yrange [1e-3:1e6]
set format xy '10^{%T}'
unset mxtics
unset mytics
set key top left Left reverse
plot 'growth.csv' using "s":"narrow" with lines lt 1 title 'narrow hat, J > 0', \
     'growth.csv' using "s":(-column("wide")) with lines lt 2 title 'wide hat, J < 0'
unset multiplot
