array run = ['gradient-0.005', 'gradient-0.02', 'heavy-ball-0.005', 'heavy-ball-0.02']
array label = ['gradient descent, λ = 0.005', 'gradient descent, λ = 0.02', 'heavy ball, λ = 0.005', 'heavy ball, λ = 0.02']
array colour = [1, 6, 2, 5]
# mean and range of the seeds; each by itself is in runs/
file(i) = 'runs-' . run[i] . '.csv'
percent(c) = 100 * column(c)
# at t = 0 the distance is 0, which a logarithmic axis does not have
later(t) = t > 0 ? t : NaN

if (small) {
    set multiplot layout 2,1
} else {
    set multiplot layout 1,2 margins 0.085,0.975,0.15,0.96 spacing 0.12
}
set xlabel 'time t'
set ylabel 'distance in % of ‖x‖' offset 0.5,0
set xrange [0:*] noextend
set logscale y
set yrange [0.02:200]
set format y '%g'
set key top right
plot for [i=1:4] file(i) using (later(column("t"))):(percent('relative_gap_min')):(percent('relative_gap_max')) with filledcurves lt colour[i], \
     for [i=1:4] file(i) using "t":(percent('relative_gap_mean')) with lines lt colour[i] title label[i]

unset logscale
set ylabel 'loss f(x) of the iteration' offset 0.5,0
set yrange [0:0.8]
unset key
plot for [i=1:4] file(i) using "t":"loss_min":"loss_max" with filledcurves lt colour[i], \
     for [i=1:4] file(i) using "t":"loss_mean" with lines lt colour[i]
unset multiplot
