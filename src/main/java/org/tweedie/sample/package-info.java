// SPDX-License-Identifier: Apache-2.0
/**
 * Samplers: methods that go from noise to a picture, each one file in the notation of the literature. Solvers and the
 * packages above them may use this package; it depends on the noise schedule, but on no network and no device.
 */
package org.tweedie.sample;
