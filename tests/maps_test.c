/*
 * The iterations against reference values and against their textbook forms, written out here with past positions
 * instead of velocities.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "check.h"
#include "valley.h"

enum { D = VALLEY_DIM };

static double no_tilt[D] = {0, 0, 0};

typedef struct runner {
    od_problem *owned;
    od_map *map;
    double *ws, *tau;
} runner;

static void open_map(od_context *ctx, runner *r, const char *method, const od_problem *f, size_t n)
{
    r->map = od_map_create(ctx, method, f);
    check_done(ctx, r->map != NULL);
    r->ws = calloc(od_scratch_size(&r->map->scratch, n) + 1, sizeof(double));
    r->tau = calloc(n, sizeof(double));
}

/* On a diagonal quadratic. */
static void open_on(od_context *ctx, runner *r, const char *method, const char *eigenvalues, size_t n)
{
    char yaml[128];
    snprintf(yaml, sizeof yaml, "{name: quadratic, eigenvalues: [%s]}", eigenvalues);
    r->owned = od_problem_create(ctx, yaml);
    check_done(ctx, r->owned != NULL);
    open_map(ctx, r, method, r->owned, n);
}

static void step(runner *r, uint64_t k, size_t n, double *z, const double *dw)
{
    assert_int_equal(r->map->step(r->map, k, n, z, dw, NULL, r->tau, r->ws), OD_OK);
}

static void close_map(runner *r)
{
    od_map_free(r->map);
    od_problem_free(r->owned);
    free(r->ws);
    free(r->tau);
    *r = (runner){0};
}

static void run(runner *r, uint64_t from, uint64_t to, double *z)
{
    for (uint64_t k = from; k < to; k++) {
        step(r, k, 1, z, NULL);
    }
}

/* Reference set nag/..., relative accuracy 1e-13; the iterates are at most 1, and each iteration rounds by 1e-16. */
static void nesterov_matches_references(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *id, *method, *eigenvalues;
        double x0[2], want[5][2];
    } references[] = {
        {"nag/H=0.04_0.01/eta=1",
         "{name: nesterov, step: 1}",
         "0.04, 0.01",
         {1, 1},
         {{0.96, 0.99},
          {0.9216, 0.9801},
          {0.43338479321909035, 0.8236127335840028},
          {9.451027930994292e-05, -0.10231915792290756},
          {9.841219470672425e-05, 0.002916947711086906}}},
        {"nag/H=1_0.1/eta=0.1",
         "{name: nesterov, step: 0.1}",
         "1, 0.1",
         {1, -1},
         {{0.9, -0.99},
          {0.81, -0.9801},
          {0.06468591903046875, -0.8236127335840028},
          {0.00037645692955149074, 0.10231915792290756},
          {6.236049502902082e-08, -0.002916947711086906}}},
    };
    static const uint64_t at[] = {0, 1, 2, 10, 50, 200};
    for (size_t i = 0; i < 2; i++) {
        runner r = {0};
        open_on(ctx, &r, references[i].method, references[i].eigenvalues, 1);
        double z[4] = {references[i].x0[0], references[i].x0[1], 0, 0};
        for (size_t j = 0; j < 5; j++) {
            run(&r, at[j], at[j + 1], z);
            check_close(z[0], references[i].want[j][0], 1e-14);
            check_close(z[1], references[i].want[j][1], 1e-14);
        }
        close_map(&r);
    }
}

/* nag-vs-ode: largest distance of iteration and flow on f = x^2/2 up to t = 20; values given to six digits. */
static void nesterov_follows_its_flow(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *method;
        double eta, distance;
        uint64_t at;
    } cases[] = {{"{name: nesterov, step: 0.01}", 0.01, 0.0737491, 19},
                 {"{name: nesterov, step: 0.0001}", 0.0001, 0.00752919, 191}};
    for (size_t i = 0; i < 2; i++) {
        runner r = {0};
        open_on(ctx, &r, cases[i].method, "1", 1);
        od_flow *flow = od_flow_create(ctx, cases[i].method, r.owned);
        check_done(ctx, flow != NULL);
        double z[2] = {1, 0}, y[2], distance = 0, *ws = calloc(od_scratch_size(&flow->scratch, 1), sizeof(double));
        const double z0[2] = {1, 0}, tau = sqrt(cases[i].eta);
        uint64_t at = 0;
        for (uint64_t k = 1; (double)k * tau < 20 + tau / 2; k++) {
            step(&r, k - 1, 1, z, NULL);
            check_close(r.tau[0], tau, 0);
            assert_int_equal(flow->exact(flow, 0, 1, z0, (double)k * tau, y, ws), OD_OK);
            if (fabs(z[0] - y[0]) > distance) {
                distance = fabs(z[0] - y[0]);
                at = k;
            }
        }
        check_relative(distance, cases[i].distance, 1e-6);
        assert_int_equal(at, cases[i].at);
        free(ws);
        od_flow_free(flow);
        close_map(&r);
    }
}

/* amplified-gd/eta=0.1/lambda=1 and eta=0.02: x shrinks, is caught at 0 where 1/(eta lambda) is whole, else grows. */
static void amplified_gradient_matches_references(void **state)
{
    od_context *ctx = *state;
    static const uint64_t at[] = {0, 1, 5, 10, 20, 50, 100, 200};
    static const double tenth[] = {1, 0.3024, 0.00036288, 0, 0, 0, 0};
    static const double fiftieth[] = {1, 0.81360384, 0.38170668055855106, 0.012023051595243939, 3.424322470251198e-21,
                                      0, 0};
    runner r = {0};
    double x = 1;
    open_on(ctx, &r, "{name: amplified-gradient, step: 0.1}", "1", 1);
    for (size_t j = 0; j < 7; j++) {
        run(&r, at[j], at[j + 1], &x);
        check_relative(x, tenth[j], 1e-13);
        check_close(r.tau[0], sqrt(0.1), 0);
    }
    close_map(&r);
    open_on(ctx, &r, "{name: amplified-gradient, step: 0.02}", "1", 1);
    x = 1;
    for (size_t j = 0; j < 7; j++) {
        run(&r, at[j], at[j + 1], &x);
        check_relative(x, fiftieth[j], 1e-13);
    }
    close_map(&r);
    /* 1/(eta lambda) = 16.6..: |x| shrinks while k <= 2/(eta lambda) = 33.3.. and grows from k = 34 on */
    open_on(ctx, &r, "{name: amplified-gradient, step: 0.06}", "1", 1);
    x = 1;
    for (uint64_t k = 0; k < 200; k++) {
        const double before = fabs(x);
        step(&r, k, 1, &x, NULL);
        assert_true(k == 0 ? fabs(x) == before : k < 34 ? fabs(x) < before : fabs(x) > before);
    }
    close_map(&r);
}

/*
 * discrete-memory/...: mean and variance of the iteration with gradient lambda x + s z, z standard normal. The variance
 * is exact, not sampled: path j of a batch starts at 0 and receives s once, at iteration j; responses add in square.
 */
static void memory_matches_moments(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *id, *method, *eigenvalue;
        double eta, s, mean[4], var[4];
    } references[] = {
        {"discrete-memory/p=2/eta=0.5/lambda=1/s=1",
         "{name: memory, forgetting: linear, step: 0.5, noise: 1}",
         "1",
         0.5,
         1,
         {0.5, -0.06118824655282989, 0.01337097597996529, -0.001727481994139003},
         {0.25, 0.3447384771136109, 0.33495202275346475, 0.3334965490608042}},
        {"discrete-memory/p=3/eta=0.666667/lambda=0.1/s=1",
         "{name: memory, forgetting: quadratic, step: 0.66666666666666663, noise: 1}",
         "0.1",
         0.6666666666666666,
         1,
         {0.9333333333333333, 0.4682353249309608, 0.016011349732285764, 0.0012797068797081928},
         {0.4444444444444444, 3.099335417547415, 4.001549400397927, 4.000259391460685}},
        {"discrete-memory/p=2/eta=10.0/lambda=0.04/s=0.1",
         "{name: memory, forgetting: polynomial, p: 2, step: 10, noise: 1}",
         "0.04",
         10,
         0.1,
         {0.6, -0.14756904781304858, -0.031184588835060686, -0.0037393907973653807},
         {1.0, 1.6636465977170076, 1.6707727043614502, 1.6672868312557145}},
        {"discrete-memory/p=3/eta=10.0/lambda=0.01/s=0.1",
         "{name: memory, forgetting: polynomial, p: 3, step: 10, noise: 1}",
         "0.01",
         10,
         0.1,
         {0.9, 0.28798945072453763, 0.010069126525613006, 0.000852275287914217},
         {1.0, 5.513500036002399, 6.005260575112503, 6.000594467698082}},
    };
    enum { N = 1000 };
    static const uint64_t at[] = {1, 10, 100, 1000};
    double *z = calloc(2 * (N + 1), sizeof *z), *dw = calloc(N + 1, sizeof *dw);
    assert_true(z != NULL && dw != NULL);
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        runner r = {0};
        open_on(ctx, &r, references[i].method, references[i].eigenvalue, N + 1);
        memset(z, 0, 2 * (N + 1) * sizeof *z);
        z[N] = 1; /* the last path is the mean */
        for (uint64_t k = 0, j = 0; k < N; k++) {
            memset(dw, 0, (N + 1) * sizeof *dw);
            dw[k] = references[i].s * references[i].eta; /* sigma dw/tau = s */
            step(&r, k, N + 1, z, dw);
            if (k + 1 == at[j]) {
                double var = 0;
                for (size_t p = 0; p < N; p++) {
                    var += z[p] * z[p];
                }
                check_close(z[N], references[i].mean[j], 1e-13);
                check_relative(var, references[i].var[j], 1e-12);
                j++;
            }
        }
        close_map(&r);
    }
    free(z);
    free(dw);
}

/* w[k] of the past gradients 0 .. k in the step x_{k+1} - x_k = -eta sum_j w_j G_j: path j receives one gradient. */
static void weights(od_context *ctx, const char *method, double eta, size_t k, double *w)
{
    runner r = {0};
    open_on(ctx, &r, method, "0", k + 1);
    enum { ROOM = 16 };
    double z[2 * ROOM] = {0}, dw[ROOM], before[ROOM];
    assert_true(k < ROOM);
    for (uint64_t i = 0; i <= k; i++) {
        memset(dw, 0, (k + 1) * sizeof *dw);
        dw[i] = eta;
        memcpy(before, z, (k + 1) * sizeof *z);
        step(&r, i, k + 1, z, dw);
    }
    for (size_t j = 0; j <= k; j++) {
        w[j] = (before[j] - z[j]) / eta;
    }
    close_map(&r);
}

/* discrete-weights/..., exact rationals; differences of positions below 1 lose 1e-16/w. */
static void memory_weights_match_references(void **state)
{
    od_context *ctx = *state;
    static const double third[] = {1.0 / 3, 2.0 / 3};
    static const double linear[] = {0.047619047619047616, 0.09523809523809523, 0.14285714285714285,
                                    0.19047619047619047,  0.23809523809523808, 0.2857142857142857};
    static const double quadratic[] = {0.017857142857142856, 0.05357142857142857, 0.10714285714285714,
                                       0.17857142857142858,  0.26785714285714285, 0.375};
    static const double fifth[] = {0.003968253968253968, 0.01984126984126984, 0.05952380952380952,
                                   0.1388888888888889,   0.2777777777777778,  0.5};
    static const double fraction[] = {0.0070502656584228805,
                                      0.0176256641460572,
                                      0.030844912255600102,
                                      0.04626736838340015,
                                      0.06361763152717521,
                                      0.08270292098532776,
                                      0.10337865123165971,
                                      0.12553121935272965,
                                      0.14906832298136646,
                                      0.17391304347826086,
                                      0.2};
    static const struct {
        const char *id, *method;
        size_t k;
        const double *want;
    } references[] = {
        {"discrete-weights/p=2/k=1", "{name: memory, step: 0.385, noise: 1}", 1, third},
        {"discrete-weights/p=2/k=5", "{name: memory, step: 0.385, noise: 1}", 5, linear},
        {"discrete-weights/p=3/k=5", "{name: memory, forgetting: quadratic, step: 0.385, noise: 1}", 5, quadratic},
        {"discrete-weights/p=5/k=5", "{name: memory, forgetting: polynomial, p: 5, step: 0.385, noise: 1}", 5, fifth},
        {"discrete-weights/p=2.5/k=10", "{name: memory, forgetting: polynomial, p: 2.5, step: 0.385, noise: 1}", 10,
         fraction},
    };
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        double w[11];
        weights(ctx, references[i].method, 0.385, references[i].k, w);
        for (size_t j = 0; j <= references[i].k; j++) {
            check_close(w[j], references[i].want[j], 1e-14);
        }
    }
}

/* The other memories: w_j = (m_{j+1} - m_j)/m_{k+1} with m at k eta, which sums to one. */
static void memory_weights_are_increments_of_the_memory(void **state)
{
    od_context *ctx = *state;
    static const char *const methods[] = {
        "{name: memory, forgetting: decaying, step: 0.213, noise: 1}",
        "{name: memory, forgetting: exponential, alpha: 0.785, step: 0.213, noise: 1}",
        "{name: memory, forgetting: super-exponential, alpha: 1.385, step: 0.213, noise: 1}",
        "{name: memory, forgetting: constant, step: 0.213, noise: 1}",
    };
    enum { K = 12 };
    const double eta = 0.213;
    for (size_t i = 0; i < 4; i++) {
        double m[K + 2], w[K + 1], sum = 0;
        for (size_t k = 0; k < K + 2; k++) {
            const double t = (double)k * eta;
            m[k] = i == 0 ? log(1 + t) : i == 1 ? exp(0.785 * t) - 1 : i == 2 ? exp(pow(t, 1.385)) - 1 : t;
        }
        weights(ctx, methods[i], eta, K, w);
        for (size_t j = 0; j <= K; j++) {
            check_close(w[j], (m[j + 1] - m[j]) / m[K + 1], 1e-14);
            sum += w[j];
        }
        check_close(sum, 1, 1e-14);
    }
}

/* e^{t^3} passes the largest double at t = 8.9; the iteration goes on as gradient descent. */
static void super_exponential_memory_does_not_overflow(void **state)
{
    od_context *ctx = *state;
    runner r = {0};
    open_on(ctx, &r, "{name: memory, forgetting: super-exponential, alpha: 3, step: 0.5}", "0.385", 1);
    double z[2] = {1, 0};
    run(&r, 0, 40, z);
    for (uint64_t k = 40; k < 1000; k *= 3) {
        const double x = z[0];
        step(&r, k, 1, z, NULL);
        check_relative(z[0], x * (1 - 0.5 * 0.385), 1e-15);
    }
    od_flow *flow = od_flow_create(ctx, "{name: memory, forgetting: super-exponential, alpha: 3}", r.owned);
    check_done(ctx, flow != NULL);
    double dz[2], *ws = calloc(od_scratch_size(&flow->scratch, 1), sizeof(double));
    z[0] = 1.7;
    z[1] = -0.3;
    assert_int_equal(flow->drift(flow, 50, 1, z, dz, ws), OD_OK);
    check_relative(dz[1], -3 * 50.0 * 50.0 * (-0.3 + 0.385 * 1.7), 1e-14);
    free(ws);
    od_flow_free(flow);
    close_map(&r);
}

/* memory-coeff/t=6 and t=5: m'/m as the flow damps; memory-weights/t=6 and t=5: m'(s)/m(t) = e^{b(s) - a(t)}. */
static void memory_functions_match_references(void **state)
{
    od_context *ctx = *state;
    static const struct {
        const char *method;
        double at6, at5, w6[3], w5[3];
    } references[] = {
        {"{name: memory, forgetting: decaying}",
         0.07341404890996439,
         0.09301843775854121,
         {0.3211864639810942, 0.12847458559243768, 0.08029661599527355},
         {0.37207375103416485, 0.15946017901464207, 0.10147465937295405}},
        {"{name: memory, forgetting: exponential, alpha: 1}",
         1.0024849116568446,
         1.0067836549063043,
         {0.004527804247246048, 0.049910784834411366, 0.5501753845259685},
         {0.01118435613711307, 0.08264183492754779, 0.610645154398217}},
        {"{name: memory, forgetting: super-exponential, alpha: 1.5}",
         3.6742361360105504,
         3.3541487421762324,
         {7.659662373545518e-07, 0.00019431803852658185, 0.40664796613158843},
         {2.1065350297967597e-05, 0.0017226897655702002, 0.6207166451427323}},
        {"{name: memory, forgetting: constant}", 1 / 6.0, 0.2, {1 / 6.0, 1 / 6.0, 1 / 6.0}, {0.2, 0.2, 0.2}},
        {"{name: memory, forgetting: square-root}",
         0.25,
         0.3,
         {0.07905694150420949, 0.1767766952966369, 0.23717082451262844},
         {0.09486832980505137, 0.21213203435596426, 0.28460498941515416}},
        {"{name: memory, forgetting: linear}",
         1 / 3.0,
         0.4,
         {0.03333333333333333, 0.16666666666666666, 0.3},
         {0.04, 0.2, 0.36}},
        {"{name: memory, forgetting: quadratic}", 0.5, 0.6, {0.005, 0.125, 0.405}, {0.006, 0.15, 0.486}},
    };
    od_problem *f = od_problem_create(ctx, "{name: quadratic, eigenvalues: [0]}");
    check_done(ctx, f != NULL);
    for (size_t i = 0; i < 2 * sizeof references / sizeof *references; i++) {
        const double t = i % 2 == 0 ? 6 : 5, z[2] = {0.3, 1};
        const double *want = i % 2 == 0 ? references[i / 2].w6 : references[i / 2].w5;
        od_flow *flow = od_flow_create(ctx, references[i / 2].method, f);
        check_done(ctx, flow != NULL);
        double dz[2], a[2], b[2], as[2], *ws = calloc(od_scratch_size(&flow->scratch, 1), sizeof(double));
        assert_int_equal(flow->drift(flow, t, 1, z, dz, ws), OD_OK);
        check_relative(-dz[1], i % 2 == 0 ? references[i / 2].at6 : references[i / 2].at5, 1e-13);
        flow->lagrangian(flow, t, a, b);
        for (size_t j = 0; j < 3; j++) {
            flow->lagrangian(flow, t * (0.1 + 0.4 * (double)j), as, b);
            check_relative(exp(b[0] - a[0]), want[j], 1e-13);
        }
        free(ws);
        od_flow_free(flow);
    }
    od_problem_free(f);
}

/* Textbook forms in positions on the nonlinear loss: x+ = y + a (x - x_prev) - b g(x or y). */
static void iterations_are_their_textbook_forms(void **state)
{
    od_context *ctx = *state;
    od_problem f = valley(no_tilt);
    static const char *const methods[] = {
        "{name: heavy-ball, alpha: 0.785, step: 0.137}",
        "{name: heavy-ball, learning_rate: 0.018769, momentum: 0.892455}",
        "{name: nesterov, r: 4.385, step: 0.0137}",
        "{name: nesterov-strongly-convex, mu: 0.213, step: 0.0137}",
        "{name: memory, forgetting: polynomial, p: 2.385, step: 0.0737}",
    };
    for (size_t i = 0; i < 5; i++) {
        runner r = {0};
        open_map(ctx, &r, methods[i], &f, 1);
        const double root = sqrt(0.213 * 0.0137),
                     tau = (const double[]){0.137, 0.137, sqrt(0.0137), sqrt(0.0137), 0.0737}[i];
        double z[2 * D] = {-0.7, 1.385, 0.3}, x[D], old[D], y[D], g[D];
        memcpy(x, z, sizeof x);
        memcpy(old, z, sizeof old);
        for (uint64_t k = 0; k < 100; k++) {
            const double kk = (double)k, p = 2.385;
            const double a = (const double[]){1 - 0.785 * 0.137, 0.892455, fmax(kk - 1, 0) / (kk + 3.385),
                                              (1 - root) / (1 + root), kk / (kk + p)}[i];
            const double b = (const double[]){0.137 * 0.137, 0.018769, 0.0137, 0.0137, p / (kk + p) * 0.0737}[i];
            const bool ahead = i == 2 || i == 3;
            for (size_t j = 0; j < D; j++) {
                y[j] = x[j] + a * (x[j] - old[j]);
            }
            f.eval(&f, OD_GRADIENT, 1, ahead ? y : x, NULL, g, NULL);
            for (size_t j = 0; j < D; j++) {
                old[j] = x[j];
                x[j] = y[j] - b * g[j];
            }
            step(&r, k, 1, z, NULL);
            check_close(r.tau[0], tau, 1e-16);
            for (size_t j = 0; j < D; j++) {
                /* both round by 1e-16 a step, and the maps do not expand errors by more than 100 here */
                check_close(z[j], x[j], 1e-12);
                check_close(z[D + j], (x[j] - old[j]) / tau, 1e-11);
            }
        }
        close_map(&r);
    }
}

/* hb-spectrum/...: eigenvalues by trace and determinant, and the largest singular value, of the map's Jacobian. */
static void heavy_ball_spectrum_matches_references(void **state)
{
    od_context *ctx = *state;
    static const struct {
        double lambda, alpha, h, re[2], im, norm;
    } references[] = {
        {1, 1, 0.2, {0.88, 0.88}, 0.16, 0.980682575427778},
        {5, 1, 0.2, {0.8, 0.8}, 0.4, 1.40812954616285},
        {0.5, 1, 0.2, {0.89, 0.89}, 0.08888194417315588, 0.9943126026758057},
        {-1, 1, 0.2, {1.1354065922853802, 0.7045934077146199}, 0, 1.1365504421540267},
        {4, 0.3, 1, {-0.361013308097025, -1.938986691902975}, 0, 5.095206141638334},
        {1, 4, 0.2, {0.9493237062523877, 0.21067629374761224}, 0, 0.9806134725773858},
        {0.04, 0.0565685424949238, 1, {0.9517157287525381, 0.9517157287525381}, 0.1940840775285328, 1.5230279760572747},
    };
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        char method[128], eigenvalue[32];
        snprintf(method, sizeof method, "{name: heavy-ball, alpha: %.17g, step: %.17g}", references[i].alpha,
                 references[i].h);
        snprintf(eigenvalue, sizeof eigenvalue, "%.17g", references[i].lambda);
        runner r = {0};
        open_on(ctx, &r, method, eigenvalue, 1);
        const double z[2] = {0.7, -0.3}, unit[4] = {1, 0, 0, 1};
        double j[4]; /* columns */
        assert_int_equal(r.map->jvp(r.map, 3, 1, z, 2, unit, j, r.ws), OD_OK);
        const double *re = references[i].re, im = references[i].im;
        const double det = j[0] * j[3] - j[1] * j[2], square = j[0] * j[0] + j[1] * j[1] + j[2] * j[2] + j[3] * j[3];
        check_close(j[0] + j[3], re[0] + re[1], 1e-13);
        check_close(det, re[0] * re[1] + im * im, 1e-13);
        check_relative(sqrt((square + sqrt(square * square - 4 * det * det)) / 2), references[i].norm, 1e-13);
        close_map(&r);
    }
}

/* Without mu, the smallest curvature of the loss. */
static void strong_convexity_defaults_to_the_loss(void **state)
{
    od_context *ctx = *state;
    runner own = {0}, given = {0};
    open_on(ctx, &own, "{name: nesterov-strongly-convex, step: 0.1}", "2.385, 0.213", 1);
    open_on(ctx, &given, "{name: nesterov-strongly-convex, mu: 0.213, step: 0.1}", "2.385, 0.213", 1);
    double a[4] = {1.3, -0.7, 0, 0}, b[4] = {1.3, -0.7, 0, 0};
    run(&own, 0, 20, a);
    run(&given, 0, 20, b);
    assert_memory_equal(a, b, sizeof a);
    /* and this mu makes the momentum critical in the flat direction: x_k = (1 + k c) rho^k x_0, rho = 1 - sqrt(mu eta)
     */
    const double root = sqrt(0.213 * 0.1), rho = 1 - root;
    check_relative(a[1], -0.7 * pow(rho, 20) * (1 + 20 * (1 - root * root - rho) / rho), 1e-13);
    close_map(&own);
    close_map(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_context(nesterov_matches_references),
        test_with_context(nesterov_follows_its_flow),
        test_with_context(amplified_gradient_matches_references),
        test_with_context(memory_matches_moments),
        test_with_context(memory_weights_match_references),
        test_with_context(memory_weights_are_increments_of_the_memory),
        test_with_context(super_exponential_memory_does_not_overflow),
        test_with_context(memory_functions_match_references),
        test_with_context(iterations_are_their_textbook_forms),
        test_with_context(heavy_ball_spectrum_matches_references),
        test_with_context(strong_convexity_defaults_to_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
