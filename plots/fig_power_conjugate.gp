# conjugate to t1 on the path from rest: G(ln(t_c/t*)) = G(ln(t1/t*)), the root by bisection
t_star = sqrt(2)
G(tau) = -1 / tanh(tau) + 1.5 * tau + sinh(2 * tau) / 4
root(a, b, g, n) = n == 0 ? (a + b) / 2 : G((a + b) / 2) > g ? root(a, (a + b) / 2, g, n - 1) : root((a + b) / 2, b, g, n - 1)
t_c(t1) = t1 < t_star ? t_star * exp(root(1e-9, 20, G(log(t1 / t_star)), 60)) : NaN
R = exp(pi / sqrt(2))
late(x, from) = x >= from ? x : NaN

set xlabel 't_1, from which on the path is asked'
set ylabel 'conjugate time t_c'
set logscale xy
set xrange [0.03:10]
set yrange [0.3:3000]
set format x '%g'
set format y '%g'
unset mxtics
unset mytics
set key top left Left reverse
set samples 1500
set arrow 1 from t_star,0.3 to t_star,3000 nohead lc rgb '#888888' lw 1 dt 2
set label 1 't* = √2' at 1.5,0.42 left textcolor rgb '#555555'
set label 2 't_c = t_1' at 0.72,0.5 left textcolor rgb '#888888'
plot x with lines lc rgb '#bbbbbb' lw 1, \
     for [k = 1:3] x * R**k with lines lt 2 lw 1, \
     t_c(x) with lines lt 1 lw 1.4, \
     for [k = 1:3] 'conjugate-generic.csv' using "t1":sprintf('point_%d', k) with linespoints lt 3 lw 1 pt 5 ps 0.35, \
     for [k = 1:3] 'conjugate-monotone.csv' using "t1":sprintf('point_%d', k) with points lt 2 pt 9 ps 0.7, \
     'conjugate-rest.csv' using "t1":"point_1" with points lt 1 pt 7 ps 0.6, \
     keyentry with linespoints lt 1 pt 7 ps 0.6 title 'from rest: one, and none from t* on', \
     keyentry with linespoints lt 2 pt 9 ps 0.7 title 'x = 1/(2t), monotone: t_1 R^k', \
     keyentry with linespoints lt 3 pt 5 ps 0.5 title 'x = 1, v = 0 at t = 1: without end'
