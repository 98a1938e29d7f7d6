/// Tiers of this host's memory, and the moving of VM pages between them while the guest runs. See `docs/page-moves.md`.
package io.tombolo.agent.pages;
