// SPDX-License-Identifier: Apache-2.0
/**
 * A {@code Device} compiles a program to an {@code Executable}, which runs it. {@code Devices} opens a device by name and
 * is the only class that knows every backend.
 *
 * <p>Everything above may depend on this package except the networks. Only {@code Devices} may depend on the backends
 * below it.
 */
package org.tweedie.device;
