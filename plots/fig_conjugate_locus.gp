if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.095,0.985,0.16,0.97 spacing 0.11
}
j11 = 3.8317059702075123
bound(alpha, beta) = 4 * beta > alpha**2 ? 2 * pi / sqrt(4 * beta - alpha**2) : NaN
nesterov(t1) = 'conjugate-nesterov-' . t1 . '.csv'
damped(alpha) = 'conjugate-heavy-ball-' . alpha . '.csv'
array start = ['0', '0.1', '1', '4']
array damping = ['1', '4']

set samples 2000
set xlabel 'curvature β'
set logscale x
set xrange [0.09:110]
set format x '%g'
unset mxtics
set logscale y
set ylabel 'minimal for a time t_c − t_1' offset 0.5,0
set yrange [0.2:40]
set ytics (0.2, 0.5, 1, 2, 5, 10, 20, 40)
unset mytics
set key bottom left Left reverse spacing 1.1 samplen 1.8
plot sqrt(40 / x) with lines lc rgb '#555555' dt 2 lw 1.4 title '√(40/β), Prop. 2.2.1', \
     j11 / sqrt(x) with lines lc rgb '#000000' lw 1.2 title '3.8317/√β', \
     for [i = 1:2] bound(real(damping[i]), x) with lines lt 3 + i lw 1.2 title sprintf('2π/√(4β − α^2), α = %s', damping[i]), \
     for [i = 1:4] nesterov(start[i]) using "curvature":"length" with points pt 6 ps 0.5 lc rgb word('#000000 #0072b2 #d55e00 #009e73', i), \
     for [i = 1:2] damped(damping[i]) using "curvature":"length" with points lt 3 + i pt 7 ps 0.45

unset logscale y
set ylabel 'the same times √β' offset 0.5,0
set yrange [3:6.8]
set ytics 1
unset key
set label 1 '√40' at 0.11,6.45 left textcolor rgb '#555555'
set label 2 '3.8317' at 0.105,3.93 left
set label 3 'π' at 0.105,3.21 left textcolor rgb '#555555'
set label 4 't_1 = 0' at 95,3.93 right
set label 5 'α = 1' at 0.44,5.3 left textcolor lt 4
set label 6 'α = 4' at 7,5.3 left textcolor lt 5
set label 7 '0.1' at 60,3.58 left textcolor lt 1
set label 8 '1' at 0.13,3.66 left textcolor lt 2
set label 9 '4' at 0.13,3.41 left textcolor lt 3
plot sqrt(40) with lines lc rgb '#555555' dt 2 lw 1.4, \
     pi with lines lc rgb '#999999' dt 3 lw 1.4, \
     j11 with lines lc rgb '#000000' lw 1.2, \
     for [i = 1:2] bound(real(damping[i]), x) * sqrt(x) with lines lt 3 + i lw 1.2, \
     for [i = 1:4] nesterov(start[i]) using "curvature":(column("length") * sqrt(column("curvature"))) with linespoints pt 6 ps 0.5 lw 1.2 lc rgb word('#000000 #0072b2 #d55e00 #009e73', i), \
     for [i = 1:2] damped(damping[i]) using "curvature":(column("length") * sqrt(column("curvature"))) with points lt 3 + i pt 7 ps 0.45
unset multiplot
