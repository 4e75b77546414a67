// SPDX-License-Identifier: Apache-2.0
/** Binds oneDNN and the threads that it shares with our loops. */
package org.tweedie.device.cpu.onednn;
