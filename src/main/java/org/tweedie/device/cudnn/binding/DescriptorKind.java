// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

/** The values of cudnnBackendDescriptorType_t that we use (CUDNN_BACKEND_..._DESCRIPTOR). */
public enum DescriptorKind {
    POINTWISE(0), CONVOLUTION(1), ENGINE(2), ENGINECFG(3), ENGINEHEUR(4), EXECUTION_PLAN(5), KNOB_CHOICE(7),
            OPERATION_CONVOLUTION_FORWARD(10),
    OPERATION_CONVOLUTION_BACKWARD_DATA(12), OPERATION_POINTWISE(13), OPERATIONGRAPH(15), VARIANT_PACK(16), TENSOR(17),
    MATMUL(18),
    OPERATION_MATMUL(19), REDUCTION(21), OPERATION_REDUCTION(22), OPERATION_RESHAPE(31), DEVICEPROP(38);

    public final int code;

    DescriptorKind(int code) {
        this.code = code;
    }
}
