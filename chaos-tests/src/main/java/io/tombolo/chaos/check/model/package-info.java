/** Sequential specifications that histories are checked against. */
package io.tombolo.chaos.check.model;
