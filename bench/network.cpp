/*
 * The network of `optdyn bench network` as one writes it with LibTorch alone: torch::nn layers, all samples at once,
 * backward().
 *
 * Protocol: "FILE GRADIENTS" names a file of doubles: samples, features, width, classes, then the parameters (weights
 * and biases of three layers), the samples row by row and their classes; the answer is "SECONDS LOSS", the processor
 * time of so many gradients.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <torch/torch.h>

#include <cblas.h>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <time.h>
#include <vector>

static double processor_time()
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static at::Tensor take(std::ifstream &in, const std::vector<int64_t> &shape)
{
    at::Tensor t = torch::empty(shape, torch::kFloat64);
    in.read(reinterpret_cast<char *>(t.data_ptr<double>()), t.numel() * (int64_t)sizeof(double));
    return t;
}

int main()
{
    at::set_num_threads(1);
    openblas_set_num_threads(1);
    std::string file;
    unsigned long gradients;
    while (std::cin >> file >> gradients) {
        std::ifstream in(file, std::ios::binary);
        const at::Tensor sizes = take(in, {4});
        const int64_t samples = (int64_t)sizes[0].item<double>(), features = (int64_t)sizes[1].item<double>();
        const int64_t width = (int64_t)sizes[2].item<double>(), classes = (int64_t)sizes[3].item<double>();
        torch::nn::Sequential net(torch::nn::Linear(features, width), torch::nn::Tanh(),
                                  torch::nn::Linear(width, width), torch::nn::Tanh(),
                                  torch::nn::Linear(width, classes));
        net->to(torch::kFloat64);
        {
            const torch::NoGradGuard none;
            for (at::Tensor &p : net->parameters()) {
                p.copy_(take(in, p.sizes().vec()));
            }
        }
        const at::Tensor inputs = take(in, {samples, features}), labels = take(in, {samples}).to(torch::kInt64);
        double loss = in ? 0 : NAN, begin = 0;
        for (unsigned long k = 0; k <= gradients; k++) { /* the first is not counted */
            begin = k == 1 ? processor_time() : begin;
            net->zero_grad();
            const at::Tensor f = torch::nn::functional::cross_entropy(net->forward(inputs), labels);
            f.backward();
            loss = in ? f.item<double>() : NAN;
        }
        std::printf("%.9e %.17g\n", processor_time() - begin, loss);
        std::fflush(stdout);
    }
    return 0;
}
