// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import jcuda.driver.CUdeviceptr;

/** A device address as JCuda's calls take and return it. JCuda's own class does not give access to the number. */
final class Address extends CUdeviceptr {
    /** Makes an address that a call fills in. */
    Address() {}

    Address(long value) {
        super(new CUdeviceptr(), value);
    }

    long value() {
        return getNativePointer() + getByteOffset();
    }
}
