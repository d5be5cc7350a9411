array p[6]
# the first step: states 0 and 1, and the image of state 0
stats 'orbit-descent.csv' using (p[1] = column("y_1"), p[2] = column("y_2"), 0) every ::0::0 nooutput
stats 'orbit-descent.csv' using (p[3] = column("y_1"), p[4] = column("y_2"), p[5] = column("image_1"), p[6] = column("image_2"), 0) every ::1::1 nooutput
rho = 1 - 0.5 * 0.9
delta = sqrt((p[3] - p[5])**2 + (p[4] - p[6])**2)
eps = delta / (1 - rho)
x1 = p[1] + 0.62 * eps
x2 = p[2] - 0.55 * eps
z1 = 0.5 * x1
z2 = 0.55 * x2
set size ratio -1
unset border
unset tics
set xrange [p[5]-0.50:p[1]+1.35*eps]
set yrange [p[4]-1.35*eps:p[2]+1.2*eps]
set object 1 circle at p[1],p[2] size eps fc rgb '#0072b2' fs transparent solid 0.10 border lc rgb '#88b8d8'
set object 2 circle at p[3],p[4] size eps fc rgb '#0072b2' fs transparent solid 0.10 border lc rgb '#88b8d8'
set object 3 circle at p[5],p[6] size rho*eps fc rgb '#009e73' fs transparent solid 0.14 border lc rgb '#009e73' dt 2
set arrow 1 from p[1],p[2] to p[3],p[4] lc rgb '#0072b2' lw 1.6 filled size screen 0.02,20 front
set arrow 2 from x1,x2 to z1,z2 lc rgb '#d55e00' lw 1.6 filled size screen 0.02,20 front
set arrow 3 from p[1],p[2] to p[5],p[6] lc rgb '#009e73' lw 1.6 filled size screen 0.02,20 front
set arrow 4 from p[1],p[2] to p[1]+0.6*eps,p[2]+0.8*eps nohead lc rgb '#5b8fb0' lw 1 front
set arrow 5 from p[5],p[6] to p[5]-0.8*rho*eps,p[6]+0.6*rho*eps nohead lc rgb '#009e73' lw 1 front
set label 1 'y_k' at p[1],p[2] offset -0.4,1.0 tc rgb '#0072b2'
set label 2 'x_k' at x1,x2 offset 0.9,-0.4 tc rgb '#d55e00'
set label 3 'y_{k+1}' at p[3],p[4] left offset 0.7,-0.5 tc rgb '#0072b2'
set label 4 'x_{k+1} = Ψ(x_k)' at z1,z2 left offset 0.9,-0.5 tc rgb '#d55e00'
set label 5 'Ψ(y_k)' at p[5],p[6] right offset -0.8,-0.6 tc rgb '#00785a'
set label 6 'ε' at p[1]+0.3*eps,p[2]+0.4*eps offset -1.6,0.5 tc rgb '#3d7296'
set label 7 'ρ ε' at p[5]-0.8*rho*eps,p[6]+0.6*rho*eps right offset -0.4,0.6 tc rgb '#00785a'
set label 8 'flow' at (p[1]+p[3])/2,(p[2]+p[4])/2 right offset -0.6,1.0 tc rgb '#0072b2'
plot '+' using (p[1]):(p[2]) every ::0::0 with points pt 7 ps 0.8 lc rgb '#0072b2', \
     '+' using (p[3]):(p[4]) every ::0::0 with points pt 7 ps 0.8 lc rgb '#0072b2', \
     '+' using (x1):(x2) every ::0::0 with points pt 5 ps 0.7 lc rgb '#d55e00', \
     '+' using (z1):(z2) every ::0::0 with points pt 5 ps 0.7 lc rgb '#d55e00', \
     '+' using (p[5]):(p[6]) every ::0::0 with points pt 9 ps 0.8 lc rgb '#009e73'
