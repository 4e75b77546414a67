// SPDX-License-Identifier: Apache-2.0
/**
 * In which type each value of a program is stored (F32, or 16 bits for what networks compute), and where a value must be
 * converted because a kernel reads it in another type. The processor and the GPUs use it; it depends on programs and ops only.
 */
package org.tweedie.device.storage;
