/* The problems there are. SPDX-License-Identifier: GPL-3.0-or-later */
#include "optdyn.h"

extern const od_problem_type od_problem_quadratic;
extern const od_problem_type od_problem_power;
extern const od_problem_type od_problem_rosenbrock;
extern const od_problem_type od_problem_hosaki;
extern const od_problem_type od_problem_styblinski_tang;
extern const od_problem_type od_problem_constant_gradient;
extern const od_problem_type od_problem_sigmoid_regression;
extern const od_problem_type od_problem_logistic_regression;
extern const od_problem_type od_problem_least_squares;
extern const od_problem_type od_problem_formula;
extern const od_problem_type od_problem_mlp;
extern const od_problem_type od_problem_convnet;
extern const od_problem_type od_problem_neural_chain;
extern const od_problem_type od_problem_matrix_factorisation;
extern const od_problem_type od_problem_matrix_sensing;
extern const od_problem_type od_problem_torchscript;
extern const od_problem_type od_problem_plugin;

const od_problem_type *const od_problem_types[] = {
    &od_problem_quadratic,
    &od_problem_power,
    &od_problem_rosenbrock,
    &od_problem_hosaki,
    &od_problem_styblinski_tang,
    &od_problem_constant_gradient,
    &od_problem_sigmoid_regression,
    &od_problem_logistic_regression,
    &od_problem_least_squares,
    &od_problem_formula,
    &od_problem_mlp,
    &od_problem_convnet,
    &od_problem_neural_chain,
    &od_problem_matrix_factorisation,
    &od_problem_matrix_sensing,
    &od_problem_torchscript,
    &od_problem_plugin,
    NULL,
};
