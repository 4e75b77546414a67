// SPDX-License-Identifier: Apache-2.0
/**
 * Builds the operations of a library call as a graph of cuDNN.
 *
 * <p>The packages of the binding of cuDNN that choose and run engines may use it.
 */
package org.tweedie.device.cudnn.graph;
