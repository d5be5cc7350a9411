/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figures.h"

#include "figure_texts.h"

const od_figure od_figures[] = {
    {"fig-02", "the action around Nesterov's path, lowered by some displacements and raised by others", false,
     od_fig_02_yaml, od_fig_02_gp, od_variations_write},
    {"fig-03", "Jacobi fields of Nesterov's flow vanish together, whatever their slope", false, od_fig_03_yaml,
     od_fig_03_gp, od_conjugates_write},
    {"fig-04", "Nesterov's flow passes the minimiser by: each coordinate vanishes at its own time", false,
     od_fig_04_yaml, od_fig_04_gp, od_conjugates_write},
    {"fig-05", "the second variation of hats around Nesterov's path, and an action without bound", false,
     od_fig_05_yaml, od_fig_05_gp, od_variations_write},
    {"fig-06", "gradient, Nesterov and heavy-ball flows on an ill-conditioned quadratic", false, od_fig_06_yaml,
     od_fig_06_gp, od_conjugates_write},
    {"fig-07", "weights of past gradients under the memory functions", false, od_fig_07_yaml, od_fig_07_gp,
     od_weights_write},
    {"fig-08", "Nesterov's SDE against quadratic forgetting under one noise", false, od_fig_08_yaml, od_fig_08_gp,
     od_moments_curves},
    {"fig-09", "Nesterov's ODE and SDE against linear forgetting, and the time warp between them", false,
     od_fig_09_yaml, od_fig_09_gp, od_moments_curves},
    {"fig-17", "distance of descent and heavy ball from their flows on MNIST digits", true, od_fig_17_yaml,
     od_fig_17_gp, od_shadow_tables},
    {"fig-18", "the distance of descent from its flow against the learning rate", true, od_fig_18_yaml, od_fig_18_gp,
     od_shadow_tables},
    {"fig-conjugate-locus", "how long a path minimises its action, against the curvature", false,
     od_fig_conjugate_locus_yaml, od_fig_conjugate_locus_gp, od_conjugates_write},
    {"fig-noise-window", "when Nesterov's SDE is ahead of quadratic forgetting, for each size of the noise", false,
     od_fig_noise_window_yaml, od_fig_noise_window_gp, od_window_write},
    {"fig-power-conjugate", "conjugate points on a flat loss: one from rest, without end on other paths", false,
     od_fig_power_conjugate_yaml, od_fig_power_conjugate_gp, od_conjugates_write},
    {"fig-velocity-variance", "variance of the velocity of Nesterov's and the memory SDE over time", false,
     od_fig_velocity_variance_yaml, od_fig_velocity_variance_gp, od_moments_curves},
    {NULL, NULL, false, NULL, NULL, NULL},
};
