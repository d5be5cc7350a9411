# ---- style, shared by all figures: Okabe and Ito's palette, which is safe for the colour-blind
set encoding utf8
set minussign
set datafile separator comma
set linetype 1 lc rgb '#0072b2' lw 1.7
set linetype 2 lc rgb '#d55e00' lw 1.7
set linetype 3 lc rgb '#009e73' lw 1.7
set linetype 4 lc rgb '#cc79a7' lw 1.7
set linetype 5 lc rgb '#e69f00' lw 1.7
set linetype 6 lc rgb '#56b4e9' lw 1.7
set linetype 7 lc rgb '#000000' lw 1.7
set linetype cycle 7
set border 3 lw 0.8 lc rgb '#333333'
set tics nomirror scale 0.6 textcolor rgb '#333333'
set mxtics default
set key noautotitle samplen 1.6 spacing 1.15 textcolor rgb '#222222'
set style fill transparent solid 0.22 noborder
set samples 400
# a preview is drawn in characters, one panel above the other
small = exists('preview')
# a table of contours is separated by blanks whatever the separator; its line is then one field
field(i) = real(word(strcol(1), i))
# ---- end of the style
