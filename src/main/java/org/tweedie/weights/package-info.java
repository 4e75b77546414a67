// SPDX-License-Identifier: Apache-2.0
/**
 * This package reads and writes weights in files: safetensors, shards, checkpoint folders, and the reports of what is
 * missing, misshapen or unexpected.
 *
 * <p>Every package from {@code nn} upwards may depend on this package.
 */
package org.tweedie.weights;
