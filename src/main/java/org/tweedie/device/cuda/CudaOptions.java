// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import org.tweedie.device.OpTimes;
import org.tweedie.program.DType;

/**
 * How a card is used.
 *
 * @param real how to store what networks compute: F32, F16 or BF16
 * @param graphs whether a program is launched as one CUDA graph from its second run on; without, launch by launch, waiting for each, so that an error
 *        names its kernel
 * @param card its number, as the driver counts
 * @param times if not null, gets the time of each op, as its graph runs it
 * @param nvtx whether runs are ranges for NVIDIA's profilers
 */
public record CudaOptions(DType real, boolean graphs, int card, OpTimes times, boolean nvtx) {}
