// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

/**
 * Named ranges for a profiler: one for each program's run, and within it one for each group of launches, unless they are one
 * graph.
 */
interface Ranges {
    Ranges NONE = new Ranges() {
        @Override
        public void push(String name) {}

        @Override
        public void pop() {}
    };

    void push(String name);

    void pop();
}
