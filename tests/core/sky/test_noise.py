import torch

from massgan_core.sky import generator, pixel_sigma, shape_noise, shear_scatter


def test_equal_weights_give_the_textbook_noise():
    n = torch.tensor([1.0, 4.0, 0.0])
    sigma = pixel_sigma(n, n, 0.3)
    torch.testing.assert_close(sigma, torch.tensor([0.3, 0.15, torch.inf]))


def test_sigma_is_the_std_of_a_weighted_mean(rng):
    weight = torch.rand(20, generator=rng, dtype=torch.float64) + 0.1
    draws = 0.3 * torch.randn(20000, 20, generator=rng, dtype=torch.float64)
    means = (draws * weight).sum(1) / weight.sum()
    want = pixel_sigma(weight.sum(), (weight**2).sum(), 0.3)
    torch.testing.assert_close(means.std(), want, rtol=0.03, atol=0)


def test_scatter_is_of_one_component(rng):
    e = 0.28 * torch.randn(2, 100000, generator=rng)
    weight = torch.rand(100000, generator=rng)
    scatter = shear_scatter(e[0], e[1], weight).float()
    torch.testing.assert_close(scatter, torch.tensor(0.28), rtol=0.02, atol=0)


def test_noise_has_sigma_in_each_component_and_none_where_unobserved():
    sigma = torch.full((200, 200), 0.2)
    sigma[:50] = torch.inf
    noise = shape_noise(sigma, generator(5))
    assert (noise[:50] == 0).all()
    for part in (noise.real, noise.imag):
        torch.testing.assert_close(part[50:].std(), torch.tensor(0.2), rtol=0.02, atol=0)
    assert torch.equal(noise, shape_noise(sigma, generator(5)))
