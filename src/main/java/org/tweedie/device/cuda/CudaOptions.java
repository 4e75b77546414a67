// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import org.tweedie.device.OpTimes;
import org.tweedie.program.DType;

/**
 * The options of a card.
 *
 * @param real the type in which the values of networks are stored: F32, F16 or BF16
 * @param graphs whether a program is launched as one CUDA graph from its second run on. Without graphs each group of launches is
 *         waited for, so that an error names its kernel
 * @param card the card's number, as the driver counts
 * @param times if not null, receives the time of each op as its graph runs it
 * @param nvtx whether runs are ranges for NVIDIA's profilers
 */
public record CudaOptions(DType real, boolean graphs, int card, OpTimes times, boolean nvtx) {}
