// SPDX-License-Identifier: Apache-2.0
/** Builds the operations of a library call as a graph of cuDNN. */
package org.tweedie.device.cudnn.graph;
