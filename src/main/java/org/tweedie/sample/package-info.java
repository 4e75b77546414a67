// SPDX-License-Identifier: Apache-2.0
/**
 * Samplers: ways to walk from noise to a picture, one file each in the literature's letters. Solvers and everything above may use them; they know
 * the noise schedule, and no network and no device.
 */
package org.tweedie.sample;
