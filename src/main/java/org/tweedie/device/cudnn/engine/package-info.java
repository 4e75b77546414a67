// SPDX-License-Identifier: Apache-2.0
/**
 * Finds the engine that runs a graph, tries engines against each other, and stores the choice.
 *
 * <p>Only {@code device.cudnn} itself may use it.
 */
package org.tweedie.device.cudnn.engine;
