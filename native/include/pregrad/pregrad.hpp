#pragma once

/// Everything of PreGrad's C++ interface.
#include <pregrad/ablation.hpp>
#include <pregrad/attribution.hpp>
#include <pregrad/certainty.hpp>
#include <pregrad/check.hpp>
#include <pregrad/error.hpp>
#include <pregrad/inputs.hpp>
#include <pregrad/layer.hpp>
#include <pregrad/model.hpp>
#include <pregrad/options.hpp>
#include <pregrad/probe.hpp>
#include <pregrad/pruning.hpp>
#include <pregrad/scores.hpp>
#include <pregrad/version.hpp>
