// SPDX-License-Identifier: Apache-2.0
/**
 * This package makes programs from programs: {@code Vjp} appends pull-backs, {@code Jvp} appends push-forwards,
 * {@code Simplify} drops what is unused or computed twice, and {@code Recompute} computes values twice instead of keeping them.
 *
 * <p>Whoever makes programs may depend on this package. It knows no device.
 */
package org.tweedie.transform;
