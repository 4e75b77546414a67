// SPDX-License-Identifier: Apache-2.0
/**
 * Uses cuDNN 9 through its graph API, for convolutions and attention; docs/gpu-cudnn.md says which operations it is given and
 * why. Start reading at {@code Cudnn}. A call becomes a {@code Graph} (room {@code graph}) made of {@code BackendDescriptor}s
 * (room {@code binding}). In the room {@code engine}, {@code Engines} names the engines that support the graph, {@code Choosing}
 * takes one after {@code Trying} some, {@code PlanCache} stores the choice, and {@code PreparedGraph} runs it. {@code Backend} is
 * the library in C, which tests replace.
 *
 * <p>Only the device {@code cuda} may depend on this package.
 */
package org.tweedie.device.cudnn;
