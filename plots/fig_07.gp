set xlabel 'time s at which the gradient was met'
set ylabel 'weight m′(s) / m(6)' offset 0.5,0
set xrange [0:6.3]
set yrange [0:1.0]
set xtics 1
set ytics 0.2
set key top left Left reverse at graph 0.13,1.0 title 'memory' left
set arrow 1 from 6,0 to 6,1.0 nohead lc rgb '#888888' lw 1.2 dt 2
set label 1 'instantaneous' at 6.14,0.6 center rotate by 90 textcolor rgb '#666666'
plot 'weights.csv' using "s":"decaying"          with lines lt 1 title 'decaying, ln(1 + t)', \
     '' using "s":"constant"          with lines lt 7 title 'constant, t', \
     '' using "s":"square_root"       with lines lt 3 title 'square root, t^{1.5}', \
     '' using "s":"linear"            with lines lt 4 title 'linear, t^2', \
     '' using "s":"quadratic"         with lines lt 5 title 'quadratic, t^3', \
     '' using "s":"exponential"       with lines lt 2 title 'exponential, e^t − 1', \
     '' using "s":"super_exponential" with lines lt 6 title 'super-exponential, e^{t^{1.5}} − 1'
