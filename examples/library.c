/* The same as examples/nesterov.yaml, from C: cc library.c $(pkg-config --cflags --libs optdyn) */
#include <optdyn.h>

int main(void)
{
    od_context *ctx = od_context_create();
    od_experiment *e = od_experiment_parse(ctx,
                                           "problem: {name: quadratic, eigenvalues: [1, 0.1]}\n"
                                           "method: {name: nesterov, step: 0.01}\n"
                                           "integrator: {name: rk4, step: 0.01}\n"
                                           "start: {x: [1, 1]}\n"
                                           "until: 20\n"
                                           "iterations: 200\n",
                                           NULL);
    od_result *result = NULL;
    if (e == NULL || od_experiment_run(ctx, e, &result) != OD_OK) {
        fprintf(stderr, "%s\n", od_message(ctx));
        return 1;
    }
    const od_outcome *o = &result->outcome[0];
    printf("x(20) = [%.6f, %.6f], largest gap %.6f at t = %g\n", o->mean[0], o->mean[1], o->gap_max, o->gap_at);
    od_result_free(result);
    od_experiment_free(e);
    od_context_free(ctx);
}
