// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.Map;

/**
 * The registers of a kernel: how many each file has, their names, and the values of those that are never written (constants and
 * special registers).
 */
public record Registers(int words, int longs, int preds, Map<String, Slot> names, Map<Integer, Slot> wordConstants,
        Map<Long, Slot> longConstants, Map<String, Slot> specials) {
    String name(char kind, int index) {
        return names.entrySet().stream().filter(e -> e.getValue().kind() == kind && e.getValue().index() == index)
                .map(Map.Entry::getKey).findFirst().orElse("?").replaceAll("#.*", "");
    }
}
