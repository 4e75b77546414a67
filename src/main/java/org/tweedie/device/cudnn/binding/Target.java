// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

/** The card that plans are made for. */
public sealed interface Target {
    /** A card that is present, by its cudnnHandle_t. */
    record Card(long handle) implements Target {}

    /**
     * A card that need not be present, by its finished DEVICEPROP descriptor (cuDNN 9.8 or newer): plans can be made but not run.
     */
    record Properties(BackendDescriptor of) implements Target {}
}
