if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.085,0.985,0.155,0.92 spacing 0.085
}
betas = "0.25 1 4"
file(t1, i) = sprintf('fields/t1-%s-beta-%s-flow.csv', t1, word(betas, i))
points(t1) = sprintf('conjugate-t1-%s.csv', t1)

set xlabel 'time t'
set xrange [0:14]
set xtics 2
unset mxtics
unset mytics
set xzeroaxis lw 0.8 lc rgb '#333333'
set key top right samplen 1.4 spacing 1.15
do for [p = 1:2] {
    t1 = word("1 4", p)
    h = p == 1 ? 0.45 : 1.2
    set ylabel p == 1 ? 'Jacobi field h(t)' : '' offset 0.8,0
    set yrange [-h:h]
    if (p == 1) { set ytics 0.2 } else { set ytics 0.5 }
    set title 't_1 = ' . t1 offset 0,-0.5
    plot for [i = 1:3] for [k = 1:6] file(t1, i) using "t":sprintf('x_%d', k) with lines lt i lw 0.9, \
         for [i = 1:3] points(t1) using "point_1":(0) every ::(i-1)::(i-1) with points lc rgb 'white' pt 7 ps 1.15, \
         for [i = 1:3] points(t1) using "point_1":(0) every ::(i-1)::(i-1) with points lt i pt 7 ps 0.85, \
         for [i = 1:3] '+' using (real(t1) + pi / sqrt(real(word(betas, i)))):(-0.95 * h) every ::0::0 with points lt i pt 9 ps 0.9, \
         for [i = 1:3] keyentry with lines lt i title p == 1 ? 'β = ' . word(betas, i) : '', \
         keyentry with points lc rgb p == 2 ? '#333333' : '#ffffff' pt 7 ps 0.9 title p == 2 ? 'conjugate to t_1' : '', \
         keyentry with points lc rgb p == 2 ? '#333333' : '#ffffff' pt 9 ps 0.9 title p == 2 ? 't_1 + π/√β' : ''
}
unset multiplot
