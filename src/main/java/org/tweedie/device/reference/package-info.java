// SPDX-License-Identifier: Apache-2.0
/**
 * The device {@code reference} computes in double, in plain loops, on one thread. It defines every op, the other devices
 * are tested against it, and it is never optimised.
 *
 * <p>Only {@code Devices} may depend on this package.
 */
package org.tweedie.device.reference;
