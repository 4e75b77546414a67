// SPDX-License-Identifier: Apache-2.0
/**
 * The public entry of Tweedie. {@link org.tweedie.Tweedie} opens a device and a model on it; a {@link org.tweedie.Model} hands out its networks
 * with their derivatives, and {@link org.tweedie.Session sessions} that restore and generate pictures. The command line uses this package, and
 * nothing below does.
 */
package org.tweedie;
