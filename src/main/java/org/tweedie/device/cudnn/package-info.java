// SPDX-License-Identifier: Apache-2.0
/**
 * This package calls cuDNN 9 by its graph API, for convolutions and attention: docs/gpu-cudnn.md says what goes there and
 * why. {@code Cudnn} is the way in. A call becomes a {@code Graph} of {@code Descriptor}s, {@code Engines} names those who
 * can do it, {@code Choosing} takes one after {@code Trying} some, {@code PlanCache} remembers it, and
 * {@code PreparedGraph} runs it. {@code Backend} is the library in C, which tests replace.
 *
 * <p>Only the device {@code cuda} may depend on this package.
 */
package org.tweedie.device.cudnn;
