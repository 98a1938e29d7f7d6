/// The project's native calls, all of them, through java.lang.foreign. Needs `--enable-native-access`.
package io.tombolo.region.os;
