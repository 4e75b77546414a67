// SPDX-License-Identifier: Apache-2.0
/**
 * The public entry of Tweedie. {@link org.tweedie.Tweedie} opens a device and a model on it. A {@link org.tweedie.Model}
 * gives access to its networks with their derivatives, and opens {@link org.tweedie.Session sessions} that restore and
 * generate pictures. The command line uses this package; the packages below it do not.
 */
package org.tweedie;
